// An admission that waits to be counted is read from the queue as it was put there, or not at all.

import { expect, test } from 'vitest';
import { parseAdmitted } from '../../functions/presence/admitted-message.ts';

const message = {
  type: 'admitted',
  deploymentId: 'demo',
  username: 'älice',
  clientId: 'c/1',
  attempt: 'AAAAAAAAAAAAAAAAAAAAAA',
  place: 'AAAAAAAAAAA',
  at: 1_790_000_000_000,
  witness: 'door',
  expirySeconds: 600,
};

test('what was put there comes out, with hints and without', () => {
  for (const more of [
    {},
    { protocolVersion: 5, ipAddress: '192.0.2.1' },
    { signedBy: 'A'.repeat(22) },
    { witness: 'broker' },
  ]) {
    const sent = { ...message, ...more };
    expect(parseAdmitted(JSON.parse(JSON.stringify(sent)))).toEqual(sent);
  }
  expect(parseAdmitted({ ...message, more: 1 })).toEqual(message);
});

test.each([undefined, null, 'admitted', [], {}, { type: 'door.connected' }])('%j is something else', (body) => {
  expect(parseAdmitted(body)).toBeUndefined();
});

test.each([
  { deploymentId: 'Demo' },
  { deploymentId: undefined },
  { username: '' },
  { username: 'a?b' },
  { clientId: 'a+b' },
  { clientId: '' },
  { attempt: 'short' },
  { attempt: undefined },
  { signedBy: 'password' },
  { place: 'AAAAAAAAAA' },
  { place: 'AAAAAAAAAA=' },
  { place: 7 },
  // The same bytes as with `A` at its end, and another text: what is compared by one is stored by the other.
  { place: 'AAAAAAAAAAB' },
  { at: '1790000000000' },
  { at: -1 },
  { at: 1.5 },
  { expirySeconds: -1 },
  { expirySeconds: 1.5 },
  { expirySeconds: 604_801 },
  { expirySeconds: '600' },
  { witness: 'nobody' },
  { witness: undefined },
  { protocolVersion: 6 },
  { protocolVersion: '5' },
  { ipAddress: 7 },
])('one with %j is malformed, and goes to the dead letters', (fault) => {
  expect(() => parseAdmitted({ ...message, ...fault })).toThrow('malformed admission');
});
