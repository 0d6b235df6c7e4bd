// A front door's report is read from the queue as it was put there, or not at all.

import { expect, test } from 'vitest';
import { applyPresence, type PresencePorts } from '../../functions/presence/apply.ts';
import { parseDoorReport } from '../../functions/presence/door-report.ts';

const report = {
  type: 'door.disconnected',
  deploymentId: 'demo',
  username: 'älice',
  clientId: 'c/1',
  attempt: 'AAAAAAAAAAAAAAAAAAAAAA',
  at: 1_790_000_000_000,
  expirySeconds: 600,
};

test('what was put there comes out, whatever is told', () => {
  const { expirySeconds: _, ...failed } = { ...report, type: 'door.failed' };
  const connected = { ...report, type: 'door.connected' };
  for (const sent of [report, connected, { ...report, uncounted: true }, failed, { ...failed, unsent: true }])
    expect(parseDoorReport(JSON.parse(JSON.stringify(sent)))).toEqual(sent);
  expect(parseDoorReport({ ...report, more: 1, uncounted: 'yes', unsent: true })).toEqual(report);
  expect(parseDoorReport({ ...failed, unsent: 'yes' })).toEqual(failed);
});

test('an expiry beyond what any broker keeps is cut to that', () => {
  const read = (expirySeconds: number) => parseDoorReport({ ...report, expirySeconds });
  expect(read(0xff_ff_ff_ff)).toEqual({ ...report, expirySeconds: 604_800 });
  expect(read(-1)).toEqual({ ...report, expirySeconds: 0 });
});

test.each([undefined, null, 'door.failed', [], {}, { type: 'door.opened' }, { type: ['door.failed'] }])(
  '%j is something else',
  (body) => {
    expect(parseDoorReport(body)).toBeUndefined();
  },
);

// As text an absent field would be the legal name `undefined`.
const needed = ['deploymentId', 'username', 'clientId', 'attempt', 'at', 'expirySeconds'];
const wrong = [
  { deploymentId: 'Demo' },
  { deploymentId: 7 },
  { username: 'a?b' },
  { username: null },
  { username: ['alice'] },
  { clientId: 'a+b' },
  { clientId: true },
  { attempt: 'short' },
  { attempt: 1_000_000_000_000_000 },
  { at: '1790000000000' },
  { at: -1 },
  { expirySeconds: '600' },
];
const faults = [...needed.map((name) => ({ [name]: undefined })), ...wrong];

test.each(needed)('one without %s is malformed', (name) => {
  expect(() => parseDoorReport({ ...report, [name]: undefined })).toThrow('malformed report');
});

test.each(wrong)('one with %j is malformed', (fault) => {
  expect(() => parseDoorReport({ ...report, ...fault })).toThrow('malformed report');
});

test('malformed reports are left to the queue, which ends in the dead letters; nothing is written', async () => {
  const told: string[] = [];
  const tell = (_message: string, fields: object = {}) => void told.push(JSON.stringify(fields));
  // No store and no broker: who goes on to either of them says something else.
  const ports = { log: { info: tell, warn: tell, error: tell } } as unknown as PresencePorts;
  const Records = faults.map((fault, n) => ({
    messageId: `m${n}`,
    body: JSON.stringify({ ...report, ...fault }),
    attributes: {},
  }));
  const event = { Records } as unknown as Parameters<typeof applyPresence>[1];
  const { batchItemFailures } = await applyPresence(ports, event);
  expect(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier).sort()).toEqual(
    Records.map(({ messageId }) => messageId).sort(),
  );
  expect(told).toEqual(faults.map(() => expect.stringContaining('malformed report')));
});
