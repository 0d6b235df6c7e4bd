// The whole answer to a CONNECT on a real engine that can be stopped and started: credentials, settings, admission, and
// the presence queue as a list. Tests move the clock.

import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyPresence } from '../../functions/presence/apply.ts';
import { createDocumentClient } from '../../shared/adapters/dynamodb/common/client.ts';
import type { DocumentClient } from '../../shared/adapters/dynamodb/common/commands.ts';
import { createCredentialStore } from '../../shared/adapters/dynamodb/credentials/credential-store.ts';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings/settings-store.ts';
import { createRankStore } from '../../shared/adapters/dynamodb/usage/rank-store.ts';
import { createPasswordCrypto } from '../../shared/adapters/node/password-crypto.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { createPasswords } from '../../shared/app/credentials/passwords.ts';
import { tellingRefusals } from '../../shared/app/rejections/refusals.ts';
import { createCoreConnect } from '../../shared/core/connect.ts';
import { createCore } from '../../shared/core/core.ts';
import type { ConnectDecision, ConnectRequest } from '../../shared/domain/connect.ts';
import type { ClientId, DeploymentId, Username } from '../../shared/domain/ids.ts';
import type { Refusal } from '../../shared/domain/refusal.ts';
import type { Session } from '../../shared/domain/session/record.ts';
import { ms } from '../../shared/domain/time.ts';
import type { CredentialStore, PasswordKeys } from '../../shared/ports/credentials/credentials.ts';
import type { Broker } from '../../shared/ports/presence/broker.ts';
import type { Deployment, SettingsStore } from '../../shared/ports/settings/settings.ts';
import { deploymentOf } from '../support/deployment.ts';
import { createTestTable, startTestEngine, type TestEngine } from '../support/engine.ts';
import { createGate } from '../support/gate.ts';
import { cheapCost, testKeys } from '../support/passwords.ts';

export interface ConnectRig {
  readonly engine: TestEngine;
  readonly client: DocumentClient;
  readonly tableName: string;
  readonly settings: SettingsStore;
  readonly credentials: CredentialStore;
  /** Bodies of presence messages. */
  readonly queue: string[];
  queueFails: boolean;
  /** What ends connections at the broker; nothing is there unless told. */
  broker: Pick<Broker, 'deleteConnection'>;
  /** What a put waits for. */
  queueAnswers: Promise<void>;
  /** Of processes that start from now on. */
  keys: PasswordKeys;
  /** Of processes that start from now on: what one CONNECT may take; below 0 its time is always over. */
  budgetMs: number;
  readonly rejections: Refusal[];
  readonly log: string[];
  /** Requests that went to the database, by command, since `watch`. */
  readonly sent: string[];
  /** Credentials that were asked of it since then, some of them in one request. */
  credentialsRead: number;
  /** Called before each of them, and waited for. */
  onSend: (command: string) => void | Promise<void>;
  /** scrypts since `watch`. */
  hashes: number;
  /** The passwords that went through them, in order. */
  readonly hashed: string[];
  /** scrypts begin from now on, but end only once it is called. */
  holdHashes(): () => void;
  watch(): void;
  advance(bySeconds: number): void;
  now(): number;
  connect(request: Partial<ConnectRequest>): Promise<ConnectDecision>;
  /** A process of its own: it remembers nothing. */
  newProcess(): void;
  addDeployment(id: string, more?: Partial<Deployment>): Promise<void>;
  addUser(id: string, username: string, password: string): Promise<void>;
  /** What is in the queue is delivered once; what fails stays there. */
  drain(): Promise<void>;
  used(id: string, username: string): Promise<number>;
  session(id: string, username: string, clientId: string): Promise<Session | undefined>;
  stop(): Promise<void>;
}

export async function startConnectRig(): Promise<ConnectRig> {
  const dbPath = join(tmpdir(), `headcount-${cryptoRandom.attemptId()}.db`);
  const engine = await startTestEngine({ dbPath });
  const { tableName } = await createTestTable(engine.endpoint);
  const direct = createDocumentClient({ endpoint: engine.endpoint, requestTimeoutMs: 5_000 });
  const client: DocumentClient = {
    async send(command) {
      rig.sent.push(`${command.operation}Command`);
      const isRead = /^(Batch)?GetItem$/.test(command.operation);
      if (isRead) rig.credentialsRead += JSON.stringify(command.input).match(/"pk":"P\|/g)?.length ?? 0;
      await rig.onSend(`${command.operation}Command`);
      return direct.send(command);
    },
  };
  let now = 1_790_000_000_000;
  const clock = { now: () => ms(now) };
  const settings = createSettingsStore(client, tableName);
  const credentials = createCredentialStore(client, tableName);
  const real = createPasswordCrypto();
  let held: Promise<void> | undefined;
  const counting = {
    ...real,
    hmac: (...args: Parameters<typeof real.hmac>) => {
      rig.hashed.push(Buffer.from(args[1]).toString());
      return real.hmac(...args);
    },
    scrypt: async (...args: Parameters<typeof real.scrypt>) => {
      rig.hashes++;
      await held;
      return real.scrypt(...args);
    },
  };
  const passwordsOf = () =>
    createPasswords({ crypto: counting, keys: rig.keys, clock }, { cost: cheapCost, maxRunning: 2, maxWaiting: 64 });
  const note = (message: string, fields?: object) => void rig.log.push(JSON.stringify({ message, ...fields }));
  const log = { info: note, warn: note, error: note };
  const adapters = { client, tableName, clock, random: cryptoRandom, log };
  const core = createCore({
    ...adapters,
    credentials,
    ranks: createRankStore(client, tableName, cryptoRandom),
    broker: {
      getConnection: async () => ({ kind: 'unknown' as const }),
      deleteConnection: async () => 'unknown' as const,
    },
  });
  const start = () =>
    tellingRefusals(
      createCoreConnect({
        ...adapters,
        broker: { deleteConnection: (...asked) => rig.broker.deleteConnection(...asked) },
        budgetMs: rig.budgetMs,
        passwords: passwordsOf(),
        queue: {
          put: async (message) => {
            await rig.queueAnswers;
            if (rig.queueFails) throw new Error('the queue takes nothing');
            rig.queue.push(JSON.stringify(message));
          },
        },
      }),
      { clock, log, rejections: { record: (refusal) => void rig.rejections.push(refusal) } },
    );
  const rig: ConnectRig = {
    engine,
    client,
    tableName,
    settings,
    credentials,
    queue: [],
    queueFails: false,
    broker: { deleteConnection: async () => 'gone' },
    queueAnswers: Promise.resolve(),
    keys: testKeys,
    budgetMs: 60_000,
    rejections: [],
    log: [],
    sent: [],
    credentialsRead: 0,
    onSend: () => undefined,
    hashes: 0,
    hashed: [],
    holdHashes() {
      const { opened, open } = createGate();
      held = opened;
      return () => {
        held = undefined;
        open();
      };
    },
    watch() {
      rig.sent.length = 0;
      rig.credentialsRead = 0;
      rig.hashed.length = 0;
      rig.hashes = 0;
    },
    advance(bySeconds) {
      now += bySeconds * 1_000;
    },
    now: clock.now,
    connect: (request) =>
      connect({
        deploymentId: 'demo',
        username: 'alice',
        password: Buffer.from('alice-secret'),
        clientId: 'c1',
        hints: { protocolVersion: 5, cleanStart: true },
        ...request,
      }),
    newProcess() {
      connect = start();
    },
    async addDeployment(id, more = {}) {
      await settings.createDeployment({ ...deploymentOf(id, 'local'), ...more });
    },
    async addUser(id, username, password) {
      const hash = await passwordsOf().hash(password);
      if (hash === 'overloaded') throw new Error('nothing else is hashed here');
      const credential = { username: username as Username, hash, createdAt: clock.now() };
      await credentials.putCredential(id as DeploymentId, credential);
    },
    async drain() {
      const bodies = rig.queue.splice(0);
      const putBack = async (body: string) => void rig.queue.push(body);
      const Records = bodies.map((body, n) => ({ body, messageId: String(n), attributes: {} }));
      const answer = await applyPresence({ ...core, putBack }, { Records } as never);
      for (const { itemIdentifier } of answer.batchItemFailures) rig.queue.push(bodies[Number(itemIdentifier)] ?? '');
    },
    used: async (id, username) => (await core.store.readRoster(id as DeploymentId, username as Username)).used,
    async session(id, username, clientId) {
      const names = {
        deploymentId: id as DeploymentId,
        username: username as Username,
        clientId: clientId as ClientId,
      };
      return (await core.store.readSession(names))?.value;
    },
    async stop() {
      await engine.stop();
      for (const end of ['', '-wal', '-shm']) await rm(`${dbPath}${end}`, { force: true });
    },
  };
  let connect = start();
  return rig;
}
