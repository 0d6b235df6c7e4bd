// How long the AWS account keeps persistent sessions of MQTT 3. No packet tells the front door, so presence asks the broker
// at the end of such a session. The answer is one number for all of them. It is learned once, recorded, and from then on
// checked at a sample of the ends (S10). It must not learn from a session that another CONNECT may have changed.

import type { AttemptId } from '../../domain/ids.ts';
import type { Session } from '../../domain/session/record.ts';
import type { Ms, Seconds } from '../../domain/time.ts';
import type { Clock } from '../../ports/common/clock.ts';
import type { AccountExpiryStore } from '../../ports/presence/account-expiry.ts';
import type { BrokerSays } from '../../ports/presence/broker.ts';

export interface AccountExpiry {
  /** Undefined: presence has to ask the broker about the end of this attempt's connection. */
  expiryOf(attempt: AttemptId): Promise<Seconds | undefined>;
  /** `says`: the broker's answer about the end of the attempt's connection. `now`: the record since then. */
  learn(attempt: AttemptId, says: BrokerSays | undefined, now: Session | undefined): Promise<void>;
}

/** The first characters of the attempts that are sampled: 1 of 16. Attempts are random, so no client chooses. */
const sampled: ReadonlySet<string> = new Set('ABCD');

/** Another process's number is read at most this much later, in milliseconds. */
const rememberMs = 60_000;

export function createAccountExpiry(store: AccountExpiryStore, clock: Clock): AccountExpiry {
  let known: { readonly expirySeconds: Seconds; readonly readAt: Ms } | undefined;

  async function read(): Promise<Seconds | undefined> {
    const ageMs = known === undefined ? rememberMs : clock.now() - known.readAt;
    if (known !== undefined && ageMs >= 0 && ageMs < rememberMs) return known.expirySeconds;
    const expirySeconds = await store.readAccountExpiry();
    known = expirySeconds === undefined ? undefined : { expirySeconds, readAt: clock.now() };
    return expirySeconds;
  }

  return {
    expiryOf: async (attempt) => (sampled.has(attempt.slice(0, 1)) ? undefined : read()),
    async learn(attempt, says, now) {
      if (says?.kind !== 'retained' || says.expirySeconds === undefined) return;
      // The record was written on that answer, and no CONNECT had been admitted since the one that ended.
      if (now?.attempts[0].id !== attempt || now.ambiguity !== 'none') return;
      if (now.phase.kind !== 'retained' || now.phase.pending !== undefined) return;
      if (now.expirySeconds !== says.expirySeconds || (await read()) === says.expirySeconds) return;
      await store.writeAccountExpiry(says.expirySeconds);
      known = { expirySeconds: says.expirySeconds, readAt: clock.now() };
    },
  };
}
