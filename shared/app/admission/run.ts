// The state of one running admission: the client, the rules, and the last readings. Nothing of it outlives the answer.

import type { AttemptId } from '../../domain/ids.ts';
import { type Admission, isLive, type Policy, type Session } from '../../domain/session/record.ts';
import type { Ms } from '../../domain/time.ts';
import type { Owner } from '../../ports/admission/owners.ts';
import type { Clock } from '../../ports/common/clock.ts';
import { contended } from '../../ports/common/errors.ts';
import type { Random } from '../../ports/common/random.ts';
import type { SessionStore } from '../../ports/common/session-store.ts';
import type { Roster } from '../../ports/counter/counter.ts';
import type { Broker } from '../../ports/presence/broker.ts';
import type { Names, Stored } from '../../ports/presence/sessions.ts';
import type { ConnectSettings } from '../../ports/settings/settings.ts';
import type { OtherHolder } from '../common/other-holder.ts';
import type { SettingsCache } from '../settings/settings-cache.ts';

/** The ports of every admission. */
export interface RunPorts {
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly policy: Policy;
}

export interface AdmitPorts extends RunPorts {
  readonly settings: Pick<SettingsCache, 'getNewer'>;
  /** Ends what another username has under a client id (S9). */
  readonly broker: Pick<Broker, 'deleteConnection'>;
  /** The time budget of one CONNECT, from its receipt. A CONNECT that is not decided by then is unavailable. */
  readonly budgetMs: number;
}

export type AdmitRequest = Names &
  Omit<Admission, 'attempt' | 'at'> & {
    /** When the CONNECT came, or its turn in line: its time budget runs from there. */
    readonly receivedAt: Ms;
  };

export type AdmitDecision =
  | {
      readonly kind: 'admitted';
      readonly attempt: AttemptId;
      readonly reconnect: boolean;
      /** Not counted yet (S17). */
      readonly uncounted?: true;
      /** The owner of the client id is not known, so the client may inherit nothing (S9). Only with `uncounted`. */
      readonly mustCleanStart?: true;
    }
  | { readonly kind: 'rejected'; readonly reason: 'blocked' | 'quota_exceeded' | 'client_id_held' };

/** Decides a CONNECT: by the limit and the deployment's settings. */
export interface ByLimit {
  readonly kind: 'limit';
  readonly ports: AdmitPorts;
  readonly request: AdmitRequest;
  settings: ConnectSettings;
  max: number;
  /** The roster has been read consistently since the last thing that may have changed it. */
  rosterIsExact: boolean;
}

/** Decides an outage's replay: its client was let in already, so no limit holds and nothing is refused (S17). */
export interface Forced {
  readonly kind: 'forced';
  /** Makes the next record, or answers the record found. `nothing`: nothing is left to do. */
  readonly next: (found: Session | undefined, changedHands: boolean) => Session | 'nothing';
  /** Another username was admitted under the client id later, and keeps it. */
  readonly hasLostId: (other: OtherHolder) => boolean;
  /** Has the broker asked about another username's session under the client id. */
  readonly doubt: (other: Session) => Promise<void>;
}

export interface Run {
  readonly ports: RunPorts;
  readonly names: Names;
  readonly admission: Admission;
  readonly by: ByLimit | Forced;
  session: Stored<Session> | undefined;
  owner: Stored<Owner> | undefined;
  roster: Roster;
}

/** `look again`: another process wrote first. */
export type Step = AdmitDecision | 'look again';

export function liveSession({ session, ports }: Run): Stored<Session> | undefined {
  return session !== undefined && isLive(session.value, ports.clock.now()) ? session : undefined;
}

export async function readAgain(run: Run): Promise<void> {
  run.session = await run.ports.store.readSession(run.names);
}

/** Fails once the time budget is spent; the lease cleans up partial writes. */
export function checkTime({ by, ports }: Run): void {
  if (by.kind === 'limit' && ports.clock.now() - by.request.receivedAt > by.ports.budgetMs)
    throw contended('out of time');
}
