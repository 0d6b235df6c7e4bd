// The front door as it is deployed: the code that the stack would upload, fetched and started by the command of the task
// definition, between real MQTT clients over TLS and a real broker, on the real engine. It answers exactly, tells the
// load balancer how it is, reports what becomes of its clients, uses what its role allows, and goes when it is told to.

import type { Server } from 'node:net';
import type { Template } from 'aws-cdk-lib/assertions';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { authorize } from '../../functions/authorizer/authorize.ts';
import { applyPresence } from '../../functions/presence/apply.ts';
import { createLocalBroker, type LocalBroker } from '../../local/broker.ts';
import { loadCertificate } from '../../local/certificate.ts';
import { localArn } from '../../local/policy.ts';
import { createSessionStore } from '../../shared/adapters/dynamodb/presence/session-store.ts';
import { createRejectionReader } from '../../shared/adapters/dynamodb/rejections/rejection-reader.ts';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings/settings-store.ts';
import { createRankStore } from '../../shared/adapters/dynamodb/usage/rank-store.ts';
import { systemClock } from '../../shared/adapters/node/clock.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { createTickets } from '../../shared/adapters/node/tickets.ts';
import { frontDoorStopSeconds } from '../../shared/config/front-door.ts';
import { createCore } from '../../shared/core/core.ts';
import type { DeploymentId, Username } from '../../shared/domain/ids.ts';
import { type BrokerPort, openBrokerPort } from '../support/broker-port.ts';
import { noRenewals, testKeyring } from '../support/passwords.ts';
import { sqsEvent } from './deployed/events.ts';
import { passwordKeysArn, type Recorder, startRecorder, ticketSecret } from './deployed/recorder.ts';
import { portOf, startTaskHost, startTlsBefore, type Task, type TaskHost } from './deployed/task.ts';
import { createWorld, passwordOf, type World } from './deployed/world.ts';
import { usesOfRole } from './grants.ts';
import { synthTemplates, withFrontDoor } from './synth.ts';

const demo = 'demo' as DeploymentId;
/** Without the six characters that Secrets Manager puts at the end. */
const certificateArn = 'arn:aws:secretsmanager:eu-central-1:111111111111:secret:mqtt';
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
const certificate = await loadCertificate(undefined, systemClock);

let template: Template;
let world: World;
let recorder: Recorder;
let broker: LocalBroker;
let straight: BrokerPort;
let iotCore: Server;
let host: TaskHost;
let task: Task;

beforeAll(async () => {
  const { frontDoor } = synthTemplates(withFrontDoor);
  if (frontDoor === undefined) throw new Error('there is no front door');
  template = frontDoor;
  world = await createWorld();
  recorder = await startRecorder(world.engine);
  recorder.secrets.set(certificateArn, JSON.stringify({ certificate: certificate.cert, key: certificate.key }));
  const tickets = createTickets(Buffer.from(ticketSecret), systemClock);
  broker = await createLocalBroker({
    // Whoever comes without a ticket of this front door is not let in here at all.
    authorize: (event) =>
      authorize(
        {
          connect: async () => ({ kind: 'rejected', reason: 'bad_credentials', detail: 'no ticket' }),
          tickets: async () => tickets,
          deploymentOfServerName: () => undefined,
          clock: systemClock,
        },
        localArn,
        event,
      ),
    // IoT Core's own events; those of a front door's clients are ignored anyway.
    onPresence: () => undefined,
    clock: systemClock,
    persistentExpirySeconds: () => 3_600,
  });
  straight = await openBrokerPort((stream, ipAddress) => broker.accept(stream, ipAddress));
  iotCore = await startTlsBefore(straight.port, certificate);
  recorder.domainName = `localhost:${portOf(iotCore)}`;
  host = await startTaskHost(template, certificate);
  task = await host.start(variables());
}, 120_000);

afterAll(async () => {
  await host?.close();
  iotCore?.close();
  await broker?.close();
  await straight?.close();
  await recorder?.close();
  await world?.stop();
});

const variables = (): Record<string, string> => ({
  AWS_ENDPOINT_URL: recorder.endpoint,
  AWS_REGION: 'eu-central-1',
  TABLE_NAME: world.tableName,
  PASSWORD_KEYS_SECRET_ARN: passwordKeysArn,
  TICKET_SECRET_ARN: 'arn:aws:secretsmanager:eu-central-1:111111111111:secret:ticket',
  PRESENCE_QUEUE_URL: `${recorder.endpoint}/111111111111/presence`,
  CERTIFICATE_SECRET_ARN: certificateArn,
  MQTT_DOMAIN: 'mqtt.localhost',
  DOMAIN_CONFIGURATION: 'Connect',
  MQTTS_PORT: '0',
  HEALTH_PORT: '0',
});

/** As a device would: the server name says which deployment, and the certificate must be that name's. */
function join(username: string, clientId: string, more: IClientOptions = {}): Promise<MqttClient> {
  return connectAsync(
    `mqtts://127.0.0.1:${task.mqttsPort}`,
    {
      protocolVersion: 5,
      clientId,
      username,
      password: passwordOf(username),
      reconnectPeriod: 0,
      connectTimeout: 30_000,
      ca: certificate.cert,
      servername: 'demo.mqtt.localhost',
      ...more,
    },
    false,
  );
}

const refusalOf = (attempt: Promise<MqttClient>): Promise<unknown> =>
  attempt.then(
    () => 'admitted',
    (error: { readonly code?: unknown }) => error.code,
  );

const health = (): Promise<number> => fetch(`http://127.0.0.1:${task.healthPort}/healthz`).then(({ status }) => status);

/** What the front door has told the queue, applied by the code of the presence function. */
async function applyReports(): Promise<void> {
  const ports = createCore({
    client: world.client,
    tableName: world.tableName,
    credentials: noRenewals,
    ranks: createRankStore(world.client, world.tableName, cryptoRandom),
    clock: systemClock,
    random: cryptoRandom,
    broker,
    log: quiet,
  });
  expect(await applyPresence(ports, sqsEvent(recorder.sent) as Parameters<typeof applyPresence>[1])).toEqual({
    batchItemFailures: [],
  });
}

const usedBy = async (username: string): Promise<number> =>
  (await createSessionStore(world.client, world.tableName, cryptoRandom).readRoster(demo, username as Username)).used;

describe('a task that was started', () => {
  const clients: MqttClient[] = [];

  test('tells the load balancer that it is well', async () => {
    expect(await health()).toBe(200);
  });

  test('lets in as many as the limit says, and gives the next one the exact CONNACK of its protocol version', async () => {
    clients.push(await join('alice', 'phone'), await join('alice', 'tablet', { protocolVersion: 4 }));
    expect(await refusalOf(join('alice', 'laptop'))).toBe(0x97);
    expect(await refusalOf(join('alice', 'laptop', { protocolVersion: 4 }))).toBe(0x03);
    expect(await refusalOf(join('alice', 'laptop', { protocolVersion: 3, protocolId: 'MQIsdp' }))).toBe(0x03);
    expect(await usedBy('alice')).toBe(2);
  }, 90_000);

  test('tells a wrong password from a full quota, and finds a deployment by its own server name', async () => {
    expect(await refusalOf(join('alice', 'laptop', { password: 'wrong' }))).toBe(0x86);
    expect(await refusalOf(join('alice', 'laptop', { password: 'wrong', protocolVersion: 4 }))).toBe(0x04);
    const settings = createSettingsStore(world.client, world.tableName);
    const change = { actor: 'test', at: systemClock.now() };
    await settings.changeDeployment(demo, { mqttHost: 'fleet.mqtt.localhost' }, change);
    expect(await refusalOf(join('alice', 'laptop', { servername: 'fleet.mqtt.localhost' }))).toBe(0x97);
    const suffixed = { username: 'alice?deployment=demo' };
    expect(await refusalOf(join('alice', 'laptop', { ...suffixed, servername: 'nobody.mqtt.localhost' }))).toBe(0x86);
    const foreign = { ...suffixed, servername: 'mqtt.acme.com', rejectUnauthorized: false };
    expect(await refusalOf(join('alice', 'laptop', foreign))).toBe(0x97);
  }, 90_000);

  test('passes on what its clients say, over TLS on both sides', async () => {
    const [phone, tablet] = clients;
    const heard = new Promise((resolve) => phone?.once('message', (topic, bytes) => resolve(`${topic} ${bytes}`)));
    await phone?.subscribeAsync('demo/hello', { qos: 1 });
    await tablet?.publishAsync('demo/hello', 'from the tablet', { qos: 1 });
    expect(await heard).toBe('demo/hello from the tablet');
  });

  test('has told the presence queue of each of them', async () => {
    expect(recorder.sent).toMatchObject([
      { type: 'door.connected', deploymentId: 'demo', username: 'alice', clientId: 'phone' },
      { type: 'door.connected', deploymentId: 'demo', username: 'alice', clientId: 'tablet' },
    ]);
    await applyReports();
    expect(await usedBy('alice')).toBe(2);
  });

  test('goes when it is told to: nobody new, everybody there is let go and reported, and that before it is killed', async () => {
    const toldAt = Date.now();
    const closed = clients.map((client) => new Promise<void>((resolve) => client.once('close', () => resolve())));
    task.terminate();
    expect(await task.said('the front door closes')).toMatchObject({ connections: 2 });
    expect(await refusalOf(join('carol', 'late'))).toBe('ECONNREFUSED');
    await Promise.all(closed);
    expect(await task.ended).toEqual({ code: 0, signal: null });
    expect(Date.now() - toldAt).toBeLessThan(frontDoorStopSeconds * 1_000);
    await expect(health()).rejects.toThrow();

    const ends = recorder.sent.filter(({ type }) => type === 'door.disconnected').map(({ clientId }) => clientId);
    expect(ends.sort()).toEqual(['phone', 'tablet']);
    await applyReports();
    expect(await usedBy('alice')).toBe(0);
  }, 130_000);

  test('has left nothing unwritten of whom it turned away', async () => {
    const { items } = await createRejectionReader(world.client, world.tableName).listRecent(demo, { limit: 10 });
    expect(items).toMatchObject([{ username: 'alice', clientId: 'laptop', count: 5 }]);
  });

  test('logged no password, no ticket and no key, and nothing but JSON', () => {
    expect(task.logged.join('\n')).not.toMatch(/secret-that|PRIVATE KEY|ticket=|for a while/);
    for (const line of task.logged) expect(() => JSON.parse(line)).not.toThrow();
  });

  test('used what its role allows', () => {
    const allowed = usesOfRole(template, 'TaskRole');
    for (const line of recorder.used()) expect(allowed).toContain(line);
    expect(recorder.used()).toContain('iot:DescribeDomainConfiguration');
    expect(recorder.used()).toContain('sqs:SendMessage');
  });
});

test('a task that is given an own name of the endpoint connects there, and asks nobody for a name', async () => {
  const iotHost = recorder.domainName;
  const chosen = {
    connectDomain: 'iot.example.com',
    connectCertificateArn: 'arn:aws:acm:eu-central-1:111111111111:certificate/1',
  };
  const { frontDoor } = synthTemplates({ ...withFrontDoor, ...chosen });
  if (frontDoor === undefined) throw new Error('there is no front door');
  const other = await startTaskHost(frontDoor, certificate);
  const { DOMAIN_CONFIGURATION: _, ...rest } = variables();
  recorder.domainName = '';
  try {
    const started = await other.start({ ...rest, CONNECT_DOMAIN: iotHost });
    expect(await started.said('the front door is open')).toMatchObject({ iotHost });
  } finally {
    await other.close();
    recorder.domainName = iotHost;
  }
}, 60_000);

describe('a task that cannot start', () => {
  test('for the key of the passwords in its table says which one, and opens no port', async () => {
    const keyring = recorder.secrets.get(passwordKeysArn) ?? '';
    const other = 'another-key-that-no-password-here-is-stored-under';
    recorder.secrets.set(passwordKeysArn, JSON.stringify({ current: other }));
    const { message } = await host.start(variables()).then(
      () => new Error('it started'),
      (error: Error) => error,
    );
    recorder.secrets.set(passwordKeysArn, keyring);
    expect(message).toContain(`are stored under the key ${testKeyring.current.id}`);
    expect(message).not.toContain(other);
  }, 60_000);

  test('says why on a line of its own, without the secret and without the code that it runs', async () => {
    recorder.secrets.set(certificateArn, JSON.stringify({ certificate: 'none', key: 'hidden-key' }));
    const { message } = await host.start(variables()).then(
      () => new Error('it started'),
      (error: Error) => error,
    );
    expect(message).toContain('the certificate secret must be');
    expect(message).not.toContain('hidden-key');
    expect(message.length).toBeLessThan(4_000);
  }, 60_000);
});
