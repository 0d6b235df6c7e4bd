import { expect, test } from 'vitest';
import { parseRenewedHash } from '../../functions/presence/renewed-hash.ts';

const good = {
  type: 'password.renewed',
  deploymentId: 'demo',
  username: 'alice',
  seen: Buffer.from([1, 2]).toString('base64'),
  keyId: 'a-key',
  salt: Buffer.from([3]).toString('base64'),
  digest: Buffer.from([4]).toString('base64'),
  n: 512,
  r: 8,
  p: 1,
};

test('a message is read as it was sent', () => {
  expect(parseRenewedHash(JSON.parse(JSON.stringify(good)))).toEqual({
    deploymentId: 'demo',
    username: 'alice',
    seen: Buffer.from([1, 2]),
    hash: { keyId: 'a-key', salt: Buffer.from([3]), digest: Buffer.from([4]), n: 512, r: 8, p: 1 },
  });
});

test.each([[{ ...good, type: 'rank.refresh' }], [{}], [null], ['password.renewed']])('%j is something else', (body) => {
  expect(parseRenewedHash(body)).toBeUndefined();
});

test.each(Object.keys(good).filter((name) => name !== 'type'))(
  'one without %s, or with another kind of it, throws',
  (name) => {
    for (const value of [undefined, '', {}, -1])
      expect(() => parseRenewedHash({ ...good, [name]: value })).toThrow(TypeError);
  },
);
