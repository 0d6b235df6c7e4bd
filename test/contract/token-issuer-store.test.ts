import { expect, test } from 'vitest';
import { TransactWriteCommand } from '../../shared/adapters/dynamodb/common/commands.ts';
import { createTokenIssuerStore } from '../../shared/adapters/dynamodb/credentials/token-issuer-store.ts';
import { createSettingsStore } from '../../shared/adapters/dynamodb/settings/settings-store.ts';
import type { DeploymentId } from '../../shared/domain/ids.ts';
import { ms } from '../../shared/domain/time.ts';
import type { PublicKey, TokenIssuerStore } from '../../shared/ports/credentials/token-issuer.ts';
import type { SettingsStore } from '../../shared/ports/settings/settings.ts';
import { by, deploymentOf } from '../support/deployment.ts';
import type { TestTable } from '../support/engine.ts';
import { tableForEachTest } from '../support/tables.ts';

const keyOf = (kid: string): PublicKey => ({ kty: 'OKP', crv: 'Ed25519', kid, x: 'AA' });
const issuerOf = (issuer: string, jwksUrl?: string) => ({
  issuer,
  audience: 'mqtt',
  audienceClaim: 'aud' as 'aud' | 'client_id',
  usernameClaim: 'sub',
  keys: [keyOf('first')],
  jwksUrl,
});
const url = 'https://keys.example/jwks';

let settings: SettingsStore;
let store: TokenIssuerStore;
let table: TestTable;
let nextId = 0;
let one: DeploymentId;
let other: DeploymentId;

async function deployed(): Promise<DeploymentId> {
  nextId += 1;
  const deployment = deploymentOf(`d${nextId}`);
  await settings.createDeployment(deployment);
  return deployment.deploymentId;
}

tableForEachTest(async (created) => {
  const { client, tableName } = created;
  table = created;
  settings = createSettingsStore(client, tableName);
  store = createTokenIssuerStore(client, tableName);
  one = await deployed();
  other = await deployed();
});

async function put(id: DeploymentId, issuer: ReturnType<typeof issuerOf>, at: number, expected?: number | 'none') {
  const outcome = await store.putTokenIssuer(id, issuer, by(at, expected));
  if (outcome.kind !== 'done') throw new Error(`it was not put: ${outcome.kind}`);
  return outcome;
}
async function audited(id: DeploymentId): Promise<number> {
  const page = await settings.listAudit(id, { limit: 50 });
  return page.items.filter(({ action }) => action.startsWith('token_issuer.')).length;
}

test('one is read back as it was put, in its deployment only', async () => {
  const { value, created } = await put(one, issuerOf('https://a'), 5);
  expect(created).toBe(true);
  expect(value).toEqual({ ...issuerOf('https://a'), version: 1, updatedAt: 5, keysReadAt: 5 });
  expect(await store.getTokenIssuer(one)).toEqual(value);
  expect(await store.getTokenIssuer(other)).toBeUndefined();
  expect(await store.deleteTokenIssuer(other, by(6))).toEqual({ kind: 'missing', what: 'token_issuer' });
  expect(await store.getTokenIssuer(one)).toEqual(value);
});

test('the claim of the audience is kept, and changing it is a change', async () => {
  await put(one, issuerOf('https://a'), 5);
  const { value } = await put(one, { ...issuerOf('https://a'), audienceClaim: 'client_id' }, 6);
  expect(value).toMatchObject({ audienceClaim: 'client_id', version: 2 });
  expect(await store.getTokenIssuer(one)).toEqual(value);
  expect((await settings.getConnectSettings(one))?.tokenIssuer).toMatchObject({ audienceClaim: 'client_id' });
});

test('a deployment that is not there has none, and nothing is written for it', async () => {
  const nobody = 'nobody' as DeploymentId;
  const missing = { kind: 'missing', what: 'deployment' };
  expect(await store.putTokenIssuer(nobody, issuerOf('https://a', url), by(1))).toEqual(missing);
  expect(await store.getTokenIssuer(nobody)).toBeUndefined();
  expect(await store.listFetched({ limit: 10 })).toEqual([]);
});

test('every change is audited, and one that would change nothing writes nothing', async () => {
  const { value } = await put(one, issuerOf('https://a'), 5);
  expect(await put(one, issuerOf('https://a'), 6)).toEqual({ kind: 'done', value, created: false, before: value });
  expect(await audited(one)).toBe(1);
  await put(one, issuerOf('https://b'), 7);
  await store.deleteTokenIssuer(one, by(8));
  await store.deleteTokenIssuer(one, by(9));
  expect(await audited(one)).toBe(3);
  expect(await audited(other)).toBe(0);
});

test('the version grows across delete and re-create', async () => {
  await put(one, issuerOf('https://a'), 1);
  await store.deleteTokenIssuer(one, by(2));
  expect(await store.getTokenIssuer(one)).toBeUndefined();
  const { value, created } = await put(one, issuerOf('https://a'), 3);
  expect(created).toBe(true);
  expect(value.version).toBeGreaterThan(2);
});

test('a change that starts from another version than it saw is stale', async () => {
  expect(await store.putTokenIssuer(one, issuerOf('https://a'), by(1, 1))).toEqual({
    kind: 'stale',
    version: undefined,
  });
  await put(one, issuerOf('https://a'), 1, 'none');
  const stale = { kind: 'stale', version: 1 };
  expect(await store.putTokenIssuer(one, issuerOf('https://b'), by(2, 'none'))).toEqual(stale);
  expect(await store.putTokenIssuer(one, issuerOf('https://b'), by(2, 7))).toEqual(stale);
  expect(await store.deleteTokenIssuer(one, by(2, 7))).toEqual(stale);
  expect((await store.getTokenIssuer(one))?.issuer).toBe('https://a');
  await put(one, issuerOf('https://b'), 3, 1);
  expect(await store.deleteTokenIssuer(one, by(4, 2))).toEqual({ kind: 'done' });
});

test('of many changes that start from one version one wins, with one audit record', async () => {
  await put(one, issuerOf('https://a'), 1);
  const outcomes = await Promise.all(
    ['b', 'c', 'd', 'e'].map((name) => store.putTokenIssuer(one, issuerOf(`https://${name}`), by(2, 1))),
  );
  expect(outcomes.filter(({ kind }) => kind === 'done')).toHaveLength(1);
  expect(await audited(one)).toBe(2);
});

test('those whose keys are fetched are listed in order, in pages, as long as they are', async () => {
  const third = await deployed();
  for (const id of [third, one, other]) await put(id, issuerOf('https://a', url), 1);
  expect(await store.listFetched({ limit: 2 })).toEqual([one, other]);
  expect(await store.listFetched({ limit: 2, after: other })).toEqual([third]);
  await put(one, issuerOf('https://a'), 2);
  await store.deleteTokenIssuer(third, by(2));
  expect(await store.listFetched({ limit: 10 })).toEqual([other]);
});

test('fetched keys replace the old ones, and that is no change of the issuer', async () => {
  const { value } = await put(one, issuerOf('https://a', url), 1);
  const fetched = { keys: [keyOf('next'), keyOf('last')], at: ms(9) };
  expect(await store.replaceKeys(one, value, fetched)).toBe('done');
  // As the SDK repeats it where the answer was lost.
  expect(await store.replaceKeys(one, value, fetched)).toBe('done');
  expect(await store.getTokenIssuer(one)).toEqual({ ...value, keys: fetched.keys, keysReadAt: 9 });
  expect(await audited(one)).toBe(1);
});

test('keys that were fetched for an issuer that has changed, is gone or never was go nowhere', async () => {
  const { value } = await put(one, issuerOf('https://a', url), 1);
  const fetched = { keys: [keyOf('late')], at: ms(9) };
  const changed = await put(one, issuerOf('https://b', url), 2);
  expect(await store.replaceKeys(one, value, fetched)).toBe('changed');
  expect(await store.getTokenIssuer(one)).toEqual(changed.value);
  await store.deleteTokenIssuer(one, by(3));
  for (const version of [1, 2, 3]) expect(await store.replaceKeys(one, { ...value, version }, fetched)).toBe('changed');
  expect(await store.getTokenIssuer(one)).toBeUndefined();
  expect(await store.replaceKeys(other, value, fetched)).toBe('changed');
  expect(await store.getTokenIssuer(other)).toBeUndefined();
});

test('keys that were read before others were fetched replace nothing: which keys are dropped would not be known', async () => {
  const { value } = await put(one, issuerOf('https://a', url), 1);
  expect(await store.replaceKeys(one, value, { keys: [keyOf('between')], at: ms(9) })).toBe('done');
  expect(await store.replaceKeys(one, value, { keys: [keyOf('late')], at: ms(10) })).toBe('changed');
  const replaced = await put(one, issuerOf('https://a', url), 11);
  expect(replaced).toMatchObject({ before: { keys: [keyOf('between')] } });
});

test('keys that are fetched while the issuer is changed are among those that the change has replaced', async () => {
  const { value } = await put(one, issuerOf('https://a', url), 1);
  let fetches = 1;
  const send: typeof table.client.send = async (command: object) => {
    if (command instanceof TransactWriteCommand && fetches-- > 0)
      await store.replaceKeys(one, value, { keys: [keyOf('between')], at: ms(9) });
    return table.client.send(command as never) as never;
  };
  const racing = createTokenIssuerStore({ send } as typeof table.client, table.tableName);
  const outcome = await racing.putTokenIssuer(one, issuerOf('https://b'), by(10));
  expect(outcome).toMatchObject({ kind: 'done', before: { keys: [keyOf('between')] } });
});
