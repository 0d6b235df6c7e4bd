// Asking for ranks to be refreshed, without the use cases that change counts knowing of it: the session store that
// presence and the sweeper are given asks by itself. The connect path is given the bare one, so that no admission ever
// waits for an order that nobody may look at.

import type { DeploymentId, Username } from '../../domain/ids.ts';
import { addSeconds, type Ms, type Seconds } from '../../domain/time.ts';
import type { Clock } from '../../ports/common/clock.ts';
import { StoreUnavailable } from '../../ports/common/errors.ts';
import type { Log } from '../../ports/common/log.ts';
import type { SessionStore } from '../../ports/common/session-store.ts';
import type { RankMessages, RankRequests } from '../../ports/usage/ranks.ts';
import { type RefreshPorts, refreshRank } from './refresh-rank.ts';

/** Asks after every change of a count, and when a session becomes more than an attempt: its admission did not ask. */
export function askingForRanks(store: SessionStore, requests: RankRequests): SessionStore {
  return {
    ...store,
    async putSession(session, expected) {
      const put = await store.putSession(session, expected);
      const settled = expected?.value.phase.kind === 'new' && session.phase.kind !== 'ended';
      if (put.kind === 'done' && (settled || put.uncounted === true))
        await requests.ask(session.deploymentId, session.username);
      return put;
    },
    async addPlace(deploymentId, username, place, max, dueAt, how) {
      const outcome = await store.addPlace(deploymentId, username, place, max, dueAt, how);
      if (outcome.kind === 'added') await requests.ask(deploymentId, username);
      return outcome;
    },
    async removePlace(deploymentId, username, place, last) {
      const outcome = await store.removePlace(deploymentId, username, place, last);
      if (outcome === 'removed') await requests.ask(deploymentId, username);
      return outcome;
    },
    async removePlaces(deploymentId, username, places, last) {
      const outcome = await store.removePlaces(deploymentId, username, places, last);
      if (outcome.removed > 0) await requests.ask(deploymentId, username);
      return outcome;
    },
  };
}

/**
 * The clocks of queue and process may differ: what is this near to its delivery, a part of the delay, is asked for again.
 * The shorter the delay the smaller: a margin as long as the delay would ask with every change.
 */
const marginPart = 0.1;
const maxRemembered = 20_000;

/** Sends one message for all the changes of a username within the delay. */
export function createRankRequests(ports: {
  readonly messages: RankMessages;
  readonly clock: Clock;
  readonly log: Log;
  readonly delaySeconds: Seconds;
}): RankRequests {
  const { messages, clock, log, delaySeconds } = ports;
  const marginMs = delaySeconds * 1_000 * marginPart;
  /** When the message on its way comes at the earliest, in the order in which they were sent. */
  const comingAt = new Map<string, Ms>();
  return {
    async ask(deploymentId, username) {
      const key = JSON.stringify([deploymentId, username]);
      const now = clock.now();
      const at = comingAt.get(key);
      const delivery = addSeconds(now, delaySeconds);
      // What is said to come later than any that is sent now was sent before the clock stepped back.
      if (at !== undefined && at - marginMs > now && at <= delivery) return;
      comingAt.delete(key);
      comingAt.set(key, delivery);
      const [oldest] = comingAt.keys();
      if (comingAt.size > maxRemembered && oldest !== undefined) comingAt.delete(oldest);
      try {
        await messages.send({ type: 'rank.refresh', deploymentId, username }, delaySeconds);
      } catch (error) {
        comingAt.delete(key);
        log.warn('a rank was not asked for; the next change or reading of its username will', { error: String(error) });
      }
    },
  };
}

export interface CollectedRanks extends RankRequests {
  /** Refreshes what has been asked for, until it is late. Answers how many are left for the next time. */
  refresh(ports: RefreshPorts, isLate?: () => boolean): Promise<number>;
}

const width = 16;

/** What the database refused it would refuse in every later run as well; the reconciler comes by that username yet. */
const mayHelpLater = (error: unknown): boolean => error instanceof StoreUnavailable;

/** For the sweeper, which comes once a minute by itself: no message, everything at the end of the run. */
export function collectRankRequests(): CollectedRanks {
  let asked = new Map<string, { readonly deploymentId: DeploymentId; readonly username: Username }>();
  return {
    async ask(deploymentId, username) {
      asked.set(JSON.stringify([deploymentId, username]), { deploymentId, username });
    },
    async refresh(ports, isLate = () => false) {
      const todo = asked.entries();
      const left: typeof asked = new Map();
      asked = left;
      const worker = async (): Promise<void> => {
        for (const [key, { deploymentId, username }] of todo) {
          const again = isLate() || (await refreshRank(ports, deploymentId, username).then(() => false, mayHelpLater));
          if (again) left.set(key, { deploymentId, username });
        }
      };
      await Promise.all(Array.from({ length: width }, worker));
      return left.size;
    },
  };
}
