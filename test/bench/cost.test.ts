// docs/cost.md is arithmetic: from units that are metered here, prices that are named, and counts of what is deployed.

import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { writeComputed } from '../../bench/cost/document.ts';
import { deployedCounts } from '../../bench/cost/fixed.ts';
import { bytesOfSession, type Metered, metered } from '../../bench/cost/metered.ts';
import { Meter } from '../../bench/meter/meter.ts';
import { benchHash, benchKeys, benchPassword } from '../../bench/passwords.ts';
import { ownerKey, sessionKey } from '../../shared/adapters/dynamodb/common/keys.ts';
import { createCredentialStore } from '../../shared/adapters/dynamodb/credentials/credential-store.ts';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings/settings-store.ts';
import { createRankStore } from '../../shared/adapters/dynamodb/usage/rank-store.ts';
import { cryptoRandom } from '../../shared/adapters/node/random.ts';
import { recount } from '../../shared/app/counter/recount.ts';
import { applyDoorReport } from '../../shared/app/presence/report.ts';
import { refreshRank } from '../../shared/app/usage/refresh-rank.ts';
import { connectBudgetMs } from '../../shared/config/constants.ts';
import { createCoreConnect } from '../../shared/core/connect.ts';
import { createCore } from '../../shared/core/core.ts';
import type { Connect, ConnectDecision } from '../../shared/domain/connect.ts';
import type { ClientId, DeploymentId, TenantId, Username } from '../../shared/domain/ids.ts';
import { defaultsOf, deploymentSettings, limitSettings } from '../../shared/domain/settings.ts';
import { ms, seconds } from '../../shared/domain/time.ts';
import type { SessionStore } from '../../shared/ports/common/session-store.ts';
import type { DoorReport } from '../../shared/ports/presence/presence.ts';
import { synthTemplates, withFrontDoor } from '../infra/synth.ts';
import { bytesOf } from '../support/memory-engine/charges.ts';

const demo = 'demo' as DeploymentId;
type Admitted = Extract<ConnectDecision, { kind: 'admitted' }>;
const meter = new Meter();
const { client } = meter;
const tableName = 'cost';
let store: SessionStore;
let now = 1_790_000_000_000;
const clock = { now: () => ms(now) };
let connect: (username: string, clientId: string) => ReturnType<Connect>;
let report: (type: DoorReport['type'], admitted: Admitted, expirySeconds: number) => Promise<void>;

beforeAll(async () => {
  const settings = createSettingsStore(client, tableName);
  const credentials = createCredentialStore(client, tableName);
  await settings.createDeployment({
    deploymentId: demo,
    tenantId: 'local' as TenantId,
    name: 'Demo',
    mqttHost: undefined,
    status: 'active',
    ...defaultsOf(deploymentSettings),
    createdAt: clock.now(),
  });
  const limit = { ...defaultsOf(limitSettings), maxSessionsPerUsername: 1, whitelist: ['somebody' as Username] };
  await settings.putSessionLimit(demo, limit, { actor: 'test', at: clock.now() });
  for (const name of ['warm', 'alice', 'bob', 'carol', 'dave'])
    await credentials.putCredential(demo, { username: name as Username, hash: benchHash, createdAt: clock.now() });
  const core = createCore({
    client,
    tableName,
    clock,
    random: cryptoRandom,
    broker: {
      getConnection: async () => ({ kind: 'absent' as const }),
      deleteConnection: async () => 'gone' as const,
    },
  });
  store = core.store;
  const decide = createCoreConnect({
    ...core,
    budgetMs: connectBudgetMs * 10,
    keys: benchKeys,
    queue: { put: async () => undefined },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  connect = (username, clientId) =>
    decide({
      deploymentId: demo,
      username,
      password: Buffer.from(benchPassword),
      clientId,
      hints: { protocolVersion: 5, cleanStart: false, ipAddress: '2001:db8:85a3:8d3:1319:8a2e:370:7348' },
    });
  report = async (type, { deploymentId, username, clientId, attempt }, expirySeconds) => {
    const told = { type, deploymentId, username, clientId, attempt, at: clock.now() };
    await applyDoorReport(core, { ...told, expirySeconds: seconds(expirySeconds) } as DoorReport);
  };
  // Settings are remembered in any process but a new one.
  await connect('warm', 'up');
});

async function spent(work: () => Promise<unknown>): Promise<Metered> {
  now += 5;
  const [, { write, read }] = await meter.spend(work);
  return { write, read };
}

describe('the units that the costs are computed from are what the use cases spend', () => {
  async function admitted(username: string, clientId: string): Promise<{ who: Admitted; units: Metered }> {
    let decision: Awaited<ReturnType<Connect>> | undefined;
    const cost = await spent(async () => {
      decision = await connect(username, clientId);
    });
    if (decision?.kind !== 'admitted') throw new Error('it was not admitted');
    return { who: decision, units: cost };
  }

  test('a life without expiry, alone in its username', async () => {
    const born = await admitted('alice', 'device-0001');
    const confirmed = await spent(() => report('door.connected', born.who, 0));
    const gone = await spent(() => report('door.disconnected', born.who, 0));
    expect({ newSession: born.units, confirmed, gone }).toEqual({
      newSession: metered.newSession,
      confirmed: metered.confirmed,
      gone: metered.gone,
    });
  });

  test('a session that is retained, and comes back', async () => {
    const born = await admitted('bob', 'device-0002');
    await report('door.connected', born.who, 3_600);
    const retained = await spent(() => report('door.disconnected', born.who, 3_600));
    // Long enough for the process to have forgotten the password.
    now += 60_000;
    await connect('warm', 'up');
    const { units: reconnect } = await admitted('bob', 'device-0002');
    expect({ retained, reconnect }).toEqual({ retained: metered.retained, reconnect: metered.reconnect });
  });

  test('a rejection for quota', async () => {
    const born = await admitted('carol', 'device-0003');
    await report('door.connected', born.who, 3_600);
    now += 60_000;
    await connect('warm', 'up');
    await connect('carol', 'device-0004');
    expect(await spent(() => connect('carol', 'device-0005'))).toEqual(metered.rejected);
  });

  test('a look of the reconciler at a username with one session, its place in the order by used included', async () => {
    const dave = await admitted('dave', 'device-0006');
    await report('door.connected', dave.who, 3_600);
    const ranks = createRankStore(client, tableName, cryptoRandom);
    await refreshRank({ store, ranks }, demo, dave.who.username);
    const looked = await spent(async () => {
      await recount({ store, clock }, demo, dave.who.username);
      await refreshRank({ store, ranks }, demo, dave.who.username);
    });
    expect(looked).toEqual(metered.recounted);
  });

  test('a retained session is no larger than it is said to be', () => {
    const { table } = meter.engine;
    const session = bytesOf(table.find(sessionKey(demo, 'bob' as Username, 'device-0002' as ClientId)));
    const owner = bytesOf(table.find(ownerKey(demo, 'device-0002' as ClientId)));
    for (const [is, said] of [
      [session, bytesOfSession.session],
      [owner, bytesOfSession.owner],
    ] as const) {
      expect(is).toBeGreaterThan(said / 2);
      expect(is).toBeLessThanOrEqual(said);
    }
  });
});

test('what is paid for by the month is what the templates deploy', () => {
  const { state, core, web, frontDoor, console: site } = synthTemplates(withFrontDoor);
  if (frontDoor === undefined || site === undefined) throw new Error('there is no front door, or no console');
  const count = (template: typeof web, type: string): number => Object.keys(template.findResources(type)).length;
  const alarms = 'AWS::CloudWatch::Alarm';
  const machines = Object.values(web.findResources('AWS::Cognito::UserPoolClient')).filter(
    ({ Properties }) => Properties.GenerateSecret,
  );
  const onSchedule = (rate: string): number =>
    Object.values(core.findResources('AWS::Events::Rule')).filter(
      ({ Properties }) => Properties.ScheduleExpression === rate,
    ).length;
  // A concurrency that is set keeps Lambda from polling with fewer than five requests.
  const polled = Object.values(core.findResources('AWS::Lambda::EventSourceMapping')).filter(
    ({ Properties }) => Properties.ScalingConfig?.MaximumConcurrency !== undefined,
  );
  expect({
    alarms: [state, core, web, site].reduce((sum, template) => sum + count(template, alarms), 0),
    dashboards: count(core, 'AWS::CloudWatch::Dashboard'),
    secrets: count(state, 'AWS::SecretsManager::Secret'),
    machineClients: machines.length,
    everyMinute: onSchedule('rate(1 minute)'),
    everyTenMinutes: onSchedule('rate(10 minutes)'),
    polledQueues: polled.length,
    frontDoorAlarms: count(frontDoor, alarms),
  }).toEqual(deployedCounts);
});

const textOf = (name: string): string => readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8');

test.each([
  ['cost', 8],
  ['scale', 1],
])('docs/%s.md holds what is computed (node --import tsx bench/cost.ts writes it)', (name, tables) => {
  const text = textOf(name);
  expect(text.match(/<!-- computed: \w+ -->/g)).toHaveLength(tables);
  expect(writeComputed(text)).toBe(text);
});

test('docs/cost.md says no price that somebody typed', () => {
  const typed = textOf('cost').replace(/<!-- computed: (\w+) -->[\s\S]*?<!-- end -->/g, '');
  expect(typed).not.toMatch(/\$\d/);
});
