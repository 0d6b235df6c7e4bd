// Who answers CONNECTs: processes of the authorizer (functions/authorizer/handler.ts), one CONNECT at a time, or a few of
// the front door (frontdoor/main.ts), many at a time. Each is wired as it is there, but for what it is given: the clock,
// the randomness and the timers of the run, the simulated database and queue.

import { withDeadline } from '../../shared/adapters/node/deadline.ts';
import { createPasswordCrypto } from '../../shared/adapters/node/password-crypto.ts';
import { createPasswords } from '../../shared/app/credentials/passwords.ts';
import { tellingRefusals } from '../../shared/app/rejections/refusals.ts';
import type { SettingsCache } from '../../shared/app/settings/settings-cache.ts';
import { connectBudgetMs, doorAnswerMs, doorBudgetMs } from '../../shared/config/constants.ts';
import { createCoreConnect, createCoreRejections } from '../../shared/core/connect.ts';
import { createCoreSettings } from '../../shared/core/core.ts';
import type { Connect, ConnectDecision, ConnectRequest } from '../../shared/domain/connect.ts';
import type { PasswordCrypto } from '../../shared/ports/credentials/credentials.ts';
import type { RejectionRecorder } from '../../shared/ports/rejections/rejections.ts';
import type { ConnectSettings } from '../../shared/ports/settings/settings.ts';
import { benchKeys } from '../passwords.ts';
import { coreAdapters, type Surroundings, silent } from './processes.ts';
import { type ClientPolicy, createSimulatedClient } from './sdk-client.ts';

export interface Asked {
  readonly decision: ConnectDecision;
  /** The most sessions a username may hold by the settings that this CONNECT was decided by; undefined: no limit. */
  readonly limit: number | undefined;
}

export type Connector = (request: ConnectRequest) => Promise<Asked>;

type Way = Pick<ClientPolicy, 'requestTimeoutMs' | 'maxSockets'> & {
  readonly budgetMs: number;
  readonly answerMs: number;
};

/** Its answer comes when the handler would give it. */
export function createAuthorizer(around: Surroundings): Connector {
  const way = { requestTimeoutMs: 800, maxSockets: 64, budgetMs: connectBudgetMs, answerMs: connectBudgetMs };
  let recorded = false;
  const { connect, recorder } = createConnector(around, way, () => {
    recorded = true;
  });
  return async (request) => {
    recorded = false;
    const earlier = recorder.flush();
    const asked = await connect(request);
    if (recorded) await Promise.all([earlier, recorder.flush()]);
    return asked;
  };
}

export function createDoor(around: Surroundings): Connector {
  const { connect, recorder } = createConnector(around, {
    requestTimeoutMs: 2_000,
    maxSockets: 256,
    budgetMs: doorBudgetMs,
    answerMs: doorAnswerMs,
  });
  const flushEachSecond = async (): Promise<void> => {
    for (;;) {
      await around.time.pause(1_000);
      await recorder.flush();
    }
  };
  void flushEachSecond();
  return connect;
}

function createConnector(
  around: Surroundings,
  { budgetMs, answerMs, ...client }: Way,
  noteRecorded: () => void = () => undefined,
) {
  const { time, queue } = around;
  const { clock } = time;
  const adapters = coreAdapters(around, createSimulatedClient(around, { ...around.retries, ...client }));
  const recorder = createCoreRejections(adapters);
  const rejections: RejectionRecorder = {
    record(refusal) {
      noteRecorded();
      recorder.record(refusal);
    },
  };
  const { settings, asking } = noteLimits(createCoreSettings(adapters), around);
  const decide: Connect = withDeadline(
    createCoreConnect({
      ...adapters,
      budgetMs,
      broker: { deleteConnection: async () => 'gone' },
      settings,
      passwords: createPasswords({ crypto: createTimedCrypto((ms) => time.pause(ms)), keys: benchKeys, clock }),
      queue: { put: async (message) => queue.send(JSON.stringify(message), 20) },
    }),
    answerMs,
    time.schedule,
  );
  const connect = tellingRefusals(decide, { rejections, clock, log: silent });
  return { connect: (request: ConnectRequest) => asking(() => connect(request)), recorder };
}

interface Note {
  asked: boolean;
  limit: number | undefined;
}

/**
 * By which limit each CONNECT is decided is noted where it reads its settings. A CONNECT asks for them before it waits for
 * anything, so whoever asks is the one that has just begun; it is given a copy of its own, and shows that where it asks
 * for newer ones.
 */
function noteLimits(cache: SettingsCache, { misread }: Surroundings) {
  let begun: Note | undefined;
  const given = new WeakMap<ConnectSettings, { readonly original: ConnectSettings; readonly note: Note | undefined }>();
  const give = (original: ConnectSettings | undefined, note: Note | undefined): ConnectSettings | undefined => {
    if (original === undefined) return undefined;
    const { limit } = original;
    if (note !== undefined) note.limit = limit?.enabled === true ? limit.maxSessionsPerUsername : undefined;
    const asRead = (max: number): number => misread?.(max) ?? max;
    const copy = {
      ...original,
      limit: limit && { ...limit, maxSessionsPerUsername: asRead(limit.maxSessionsPerUsername) },
    };
    given.set(copy, { original, note });
    return copy;
  };
  const settings: SettingsCache = {
    async get(id) {
      const note = begun;
      begun = undefined;
      if (note !== undefined) note.asked = true;
      return give(await cache.get(id), note);
    },
    async getNewer(id, than, since) {
      const before = given.get(than);
      return give(await cache.getNewer(id, before?.original ?? than, since), before?.note);
    },
    recall: (id) => cache.recall(id),
  };
  const asking = async (work: () => Promise<ConnectDecision>): Promise<Asked> => {
    const note: Note = { asked: false, limit: undefined };
    begun = note;
    const deciding = work();
    if (!note.asked) throw new Error('a CONNECT no longer asks for its settings first: its limit is not known');
    return { decision: await deciding, limit: note.limit };
  };
  return { settings, asking };
}

/**
 * A scrypt runs in a thread of its own, which no virtual clock can wait for. Here it takes its time of the virtual clock,
 * and its result is another digest of the same inputs.
 */
export function createTimedCrypto(pause: (ms: number) => Promise<void>): PasswordCrypto {
  const real = createPasswordCrypto();
  return {
    ...real,
    async scrypt(password, salt) {
      await pause(2);
      return real.hmac(salt, password);
    },
  };
}
