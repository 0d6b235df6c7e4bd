// S21: removing a token issuer, or one of its keys, disconnects the clients that it let in, and no others.

import { generateKeyPairSync } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { signersOf } from '../../shared/adapters/node/signers.ts';
import { countAdmitted } from '../../shared/app/admission/outage.ts';
import {
  deleteTokenIssuer,
  parseTokenIssuer,
  putTokenIssuer,
  type TokenIssuerPorts,
} from '../../shared/app/credentials/token-issuer.ts';
import { changeHoldsSeconds } from '../../shared/config/constants.ts';
import type { AttemptId, ClientId, OperationId, Place, SignerId, Username } from '../../shared/domain/ids.ts';
import { seconds } from '../../shared/domain/time.ts';
import { createMemoryClient } from '../support/memory-client.ts';
import { createOperationsRig, demo, type OperationsRig } from './operations-rig.ts';

const jwk = () => generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
const [oldKey, newKey] = [jwk(), jwk()];
const issuer = 'https://issuer.example/';
const caller = { actor: 'tests', tenantId: demo.tenantId, expected: undefined };
const signerOf = (key: object, of = issuer): SignerId => {
  const [signer] = signersOf({ issuer: of, keys: [key as never] });
  if (signer === undefined) throw new Error('a key makes a signer');
  return signer;
};
const [old, next] = [signerOf(oldKey), signerOf(newKey)];

let rig: OperationsRig;
let ports: TokenIssuerPorts;
beforeEach(async () => {
  rig = await createOperationsRig({ client: createMemoryClient(), tableName: 'table' });
  ports = {
    issuers: rig.ports.issuers as TokenIssuerPorts['issuers'],
    fetcher: { fetchKeys: async () => ({ kind: 'refused' }) },
    signersOf,
    starts: rig.starts,
    clock: { now: rig.core.now },
  };
  await put([oldKey, newKey]);
});

async function put(keys: readonly object[], more: object = {}): Promise<OperationId | undefined> {
  const input = parseTokenIssuer({ issuer, audience: 'mqtt', keys: { keys }, ...more });
  if (!input.ok) throw new Error(JSON.stringify(input.faults));
  const { outcome, operationId } = await putTokenIssuer(ports, demo, input.value, caller);
  expect(outcome.kind).toBe('done');
  return operationId;
}

async function dropOldKey(): Promise<OperationId> {
  const operationId = await put([newKey]);
  if (operationId === undefined) throw new Error('a key was dropped');
  return operationId;
}

const live = async (clientId: string, username = 'alice') => {
  const holding = (await rig.core.session(username, clientId))?.phase.kind;
  return holding === 'connected' || holding === 'retained';
};
const vouchers = async (clientId: string) => (await rig.core.session('alice', clientId))?.signedBy;
const attemptOf = async (clientId: string, signedBy?: SignerId): Promise<AttemptId> => {
  const decision = await rig.core.connect('alice', clientId, { signedBy });
  if (decision.kind !== 'admitted') throw new Error(decision.reason);
  return decision.attempt;
};

test('a dropped key ends the sessions that it let in, connected and retained; those of other keys and passwords stay', async () => {
  await rig.connected('alice', 'old', 60, old);
  await rig.retained('bob', 'old-kept', old);
  await rig.connected('alice', 'new', 60, next);
  await rig.retained('bob', 'new-kept', next);
  await rig.connected('carol', 'password', 60);
  const id = await dropOldKey();
  await rig.drain();
  expect([...rig.told].sort()).toEqual(['old', 'old-kept']);
  expect(await Promise.all(['alice', 'bob', 'carol'].map(rig.core.used))).toEqual([1, 1, 1]);
  expect(await rig.operation(id)).toMatchObject({ status: 'done', total: 2, finished: 2 });
});

test.each([
  ['the issuer is removed', async () => (await deleteTokenIssuer(ports, demo, caller)).operationId],
  ['the keys are those of another issuer', () => put([oldKey, newKey], { issuer: 'https://other.example/' })],
])('%s: all that it let in is ended, and passwords stay', async (_what, change) => {
  await rig.connected('alice', 'a', 0, old);
  await rig.connected('alice', 'b', 0, next);
  await rig.connected('alice', 'password');
  expect(await change()).toBeDefined();
  await rig.drain();
  expect([...rig.told].sort()).toEqual(['a', 'b']);
});

test('a change that drops no key starts nothing: another kid, another writing of the same key, one key more', async () => {
  await rig.connected('alice', 'a', 0, old);
  const rewritten = { ...newKey, kid: 'new', alg: 'EdDSA' };
  expect(await put([rewritten, { ...oldKey, kid: 'old' }, jwk()], { audience: 'other' })).toBeUndefined();
  expect(rig.queue).toEqual([]);
  expect(await rig.wakeOverdue()).toBe(0);
});

test('a key replaced under the same kid is another key', async () => {
  await put([{ ...oldKey, kid: 'k' }]);
  await rig.drain();
  await rig.connected('alice', 'a', 0, old);
  expect(await put([{ ...newKey, kid: 'k' }])).toBeDefined();
  await rig.drain();
  expect(rig.told).toEqual(['a']);
});

test('a client that has come again with an accepted key, or a password, before its turn stays', async () => {
  for (const id of ['key', 'password', 'late']) await rig.connected('alice', id, 0, old);
  await rig.connected('alice', 'key', 0, next);
  await rig.connected('alice', 'password');
  const id = await dropOldKey();
  // Between the listing and the kick of another client of the page.
  const { readOwner } = rig.ports.store;
  let first = true;
  const store = {
    ...rig.ports.store,
    readOwner: async (...args: Parameters<typeof readOwner>) => {
      if (first) {
        first = false;
        await rig.connected('alice', 'late', 0, next);
      }
      return readOwner(...args);
    },
  };
  Object.assign(rig.ports, { store });
  await rig.drain();
  expect(rig.told).toEqual([]);
  expect(await rig.core.used('alice')).toBe(3);
  expect(await rig.operation(id)).toMatchObject({ status: 'done', total: 0, finished: 0 });
});

test('a key that is accepted again ends nothing more', async () => {
  await rig.connected('alice', 'a', 0, old);
  await dropOldKey();
  await put([oldKey, newKey]);
  await rig.drain();
  expect(rig.told).toEqual([]);
});

test('a client that a process still admits by the keys it remembers is ended too', async () => {
  await dropOldKey();
  const [waiting] = rig.queue.splice(0);
  if (waiting === undefined) throw new Error('a worker is woken');
  await rig.deliver(waiting.message);
  rig.core.advance(changeHoldsSeconds - 1);
  await rig.connected('alice', 'late', 0, old);
  await rig.drain();
  expect(rig.told).toEqual(['late']);
});

describe('what a session keeps of the keys that let it in', () => {
  test('a failed attempt hides no key of the connection below it, whatever vouched for the attempt', async () => {
    await rig.connected('alice', 'c', 60, old);
    await rig.core.report('door.failed', 'alice', 'c', await attemptOf('c', next));
    await rig.core.report('door.failed', 'alice', 'c', await attemptOf('c'));
    expect(await vouchers('c')).toEqual([old, next, 'password']);
    await dropOldKey();
    await rig.drain();
    expect(rig.told).toEqual(['c']);
  });

  test('a pending attempt does not either, and a later admission does not save the old connection', async () => {
    await rig.connected('alice', 'c', 60, old);
    rig.deaf = true;
    await dropOldKey();
    const [waiting] = rig.queue.splice(0);
    if (waiting === undefined) throw new Error('a worker is woken');
    await rig.deliver(waiting.message);
    rig.core.advance(changeHoldsSeconds + 1);
    await rig.core.report('door.failed', 'alice', 'c', await attemptOf('c', next));
    rig.deaf = false;
    await rig.drain();
    expect(rig.told).toEqual(['c']);
    expect(await rig.core.used('alice')).toBe(0);
  });

  test('the confirmation of the latest attempt leaves what let it in, and no more', async () => {
    await rig.connected('alice', 'c', 60, old);
    await rig.connected('alice', 'c', 60, next);
    expect(await vouchers('c')).toEqual([next]);
    await rig.connected('alice', 'c', 60);
    expect(await vouchers('c')).toBeUndefined();
  });

  test('a tombstone that is counted again keeps them all: the broker does not say which attempt it tells of', async () => {
    const attempt = await rig.connected('alice', 'c', 0, old);
    await rig.core.report('door.failed', 'alice', 'c', await attemptOf('c', next));
    await rig.core.report('door.disconnected', 'alice', 'c', attempt);
    expect((await rig.core.session('alice', 'c'))?.phase.kind).toBe('ended');
    await rig.core.event('connected', 'c', 1);
    expect((await rig.core.session('alice', 'c'))?.phase.kind).toBe('connected');
    expect(await vouchers('c')).toEqual([old, next]);
  });

  test('where attempts have overlapped, the connection may be of either', async () => {
    const first = await attemptOf('c', old);
    const second = await attemptOf('c', next);
    await rig.core.report('door.connected', 'alice', 'c', first);
    await rig.core.report('door.connected', 'alice', 'c', second);
    expect(await vouchers('c')).toEqual([old, next]);
  });

  test('S17: a client let in while the database did not answer is counted with its key', async () => {
    const message = {
      type: 'admitted',
      deploymentId: demo.deploymentId,
      username: 'alice' as Username,
      clientId: 'c' as ClientId,
      attempt: 'A'.repeat(22) as AttemptId,
      place: 'AAAAAAAAAAA' as Place,
      at: rig.core.now(),
      witness: 'door',
      expirySeconds: seconds(0),
      signedBy: old,
    } as const;
    await countAdmitted(rig.ports, message);
    expect(await vouchers('c')).toEqual([old]);
    // Its message comes after another attempt: both may be what is connected.
    await rig.connected('alice', 'd');
    await countAdmitted(rig.ports, { ...message, clientId: 'd' as ClientId, attempt: 'B'.repeat(22) as AttemptId });
    expect(await vouchers('d')).toEqual([old, 'password']);
  });
});

describe('on a crash', () => {
  test('after the change, before a worker was woken: a worker is found for it', async () => {
    await rig.connected('alice', 'a', 0, old);
    const issuers = {
      ...ports.issuers,
      putTokenIssuer: async (...args: Parameters<typeof ports.issuers.putTokenIssuer>) => {
        await ports.issuers.putTokenIssuer(...args);
        throw new Error('died');
      },
    };
    const input = parseTokenIssuer({ issuer, audience: 'mqtt', keys: { keys: [newKey] } });
    if (!input.ok) throw new Error('it is one');
    await expect(putTokenIssuer({ ...ports, issuers }, demo, input.value, caller)).rejects.toThrow('died');
    expect(rig.queue).toEqual([]);
    expect(await rig.wakeOverdue()).toBe(1);
    await rig.drain();
    expect(rig.told).toEqual(['a']);
  });

  test('before the change: nothing is ended', async () => {
    await rig.connected('alice', 'a', 0, old);
    const issuers = { ...ports.issuers, deleteTokenIssuer: () => Promise.reject(new Error('died')) };
    await expect(deleteTokenIssuer({ ...ports, issuers }, demo, caller)).rejects.toThrow('died');
    expect(await rig.wakeOverdue()).toBe(1);
    await rig.drain();
    expect(rig.told).toEqual([]);
    expect(await live('a')).toBe(true);
  });
});

describe('patience', () => {
  test('a walk over many usernames may take hours where there is little to end', async () => {
    for (const username of ['a', 'b', 'c', 'd']) await rig.connected(username, `of-${username}`);
    await rig.connected('e', 'of-e', 0, old);
    const { listSessions } = rig.ports.store;
    const store = {
      ...rig.ports.store,
      listSessions: async (...args: Parameters<typeof listSessions>) => {
        rig.core.advance(3_000);
        return listSessions(...args);
      },
    };
    Object.assign(rig.ports, { store });
    const id = await dropOldKey();
    await rig.drain();
    expect(rig.told).toEqual(['of-e']);
    expect(await rig.operation(id)).toMatchObject({ status: 'done', finished: 1 });
  });

  test('a broker that does not answer for an hour fails it, also where others need no kick', async () => {
    await rig.connected('alice', 'a', 0, old);
    await rig.connected('bob', 'b');
    const broker = {
      ...rig.ports.broker,
      deleteConnection: async () => {
        rig.core.advance(600);
        return 'unknown' as const;
      },
    };
    Object.assign(rig.ports, { broker });
    const id = await dropOldKey();
    await rig.drain();
    expect(await rig.operation(id)).toMatchObject({ status: 'failed', finished: 0 });
  });
});
