import { expect, test } from 'vitest';
import { createTickets } from '../../shared/adapters/node/tickets.ts';
import type { AttemptId, ClientId, DeploymentId, Username } from '../../shared/domain/ids.ts';
import { ms, seconds } from '../../shared/domain/time.ts';

let now = 1_000_000;
const clock = { now: () => ms(now) };
const tickets = createTickets(Buffer.alloc(32, 1), clock);
const claims = {
  deploymentId: 'demo' as DeploymentId,
  username: 'älice & co' as Username,
  clientId: 'c:1' as ClientId,
  attempt: 'AAAAAAAAAAAAAAAAAAAAAA' as AttemptId,
  expirySeconds: seconds(60),
};

test('a ticket says what was put into it, for 10 s and no longer', () => {
  const ticket = tickets.issue(claims);
  expect(tickets.verify(ticket)).toEqual(claims);
  now += 10_000;
  expect(tickets.verify(ticket)).toEqual(claims);
  now += 1;
  expect(tickets.verify(ticket)).toBeUndefined();
});

test('a ticket carries until when the connection may last', () => {
  const ending = { ...claims, validUntil: ms(now + 60_000) };
  expect(tickets.verify(tickets.issue(ending))).toEqual(ending);
});

test('a ticket with anything behind it is worth nothing', () => {
  for (const expiry of [1, 10, 100, 1_000]) {
    const ticket = tickets.issue({ ...claims, expirySeconds: seconds(expiry) });
    for (const more of ['A', '=', '!', '==', 'AA']) expect(tickets.verify(ticket + more)).toBeUndefined();
  }
});

test('a ticket with any one bit changed is worth nothing', () => {
  const bytes = Buffer.from(tickets.issue(claims), 'base64url');
  for (let bit = 0; bit < bytes.length * 8; bit += 5) {
    const forged = Buffer.from(bytes);
    forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(tickets.verify(forged.toString('base64url'))).toBeUndefined();
  }
});

test.each(['', 'x', '!!!', Buffer.alloc(32).toString('base64url'), 'A'.repeat(500)])('%j is no ticket', (text) => {
  expect(tickets.verify(text)).toBeUndefined();
});

test('another secret opens nothing, and a short one is refused', () => {
  expect(createTickets(Buffer.alloc(32, 2), clock).verify(tickets.issue(claims))).toBeUndefined();
  expect(() => createTickets(Buffer.alloc(31), clock)).toThrow('32 bytes');
});

test('a decision that took long has used up its ticket: the 10 s begin when the CONNECT came', () => {
  const ticket = tickets.issue(claims, ms(now - 9_000));
  now += 1_000;
  expect(tickets.verify(ticket)).toEqual(claims);
  now += 1;
  expect(tickets.verify(ticket)).toBeUndefined();
});
