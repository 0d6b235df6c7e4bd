// A connection does not outlive the token that it was admitted with.

import { afterEach, expect, test } from 'vitest';
import { ms } from '../../shared/domain/time.ts';
import type { TicketClaims } from '../../shared/ports/credentials/tickets.ts';
import { until } from '../support/until.ts';
import { admit, connectBytes, packetBytes, RawClient, type Rig, startBroker, startRig } from './rig.ts';

let rig: Rig;
let broker: Awaited<ReturnType<typeof startBroker>>;
afterEach(async () => {
  await rig.close();
  await broker.close();
});

/** The rig's clock stands at 1,000. */
async function connected(validUntil: number): Promise<{ client: RawClient; tickets: TicketClaims[] }> {
  broker = await startBroker();
  const tickets: TicketClaims[] = [];
  rig = await startRig({
    brokerPort: broker.port,
    decide: (request) => admit(request, { validUntil: ms(validUntil) }),
    issueTicket: (claims) => `ticket-${tickets.push(claims)}`,
  });
  const client = new RawClient(rig.port);
  client.socket.write(connectBytes());
  await until(() => expect(rig.reports.map((report) => report.type)).toContain('door.connected'));
  return { client, tickets };
}

test('it is cut when the token ends, its end is reported, and the ticket says when that is', async () => {
  const { client, tickets } = await connected(1_020);
  expect(tickets).toEqual([expect.objectContaining({ validUntil: 1_020 })]);
  await client.closed;
  await until(() => expect(rig.reports.at(-1)).toMatchObject({ type: 'door.disconnected' }));
});

test.each([1_000 + 3_600_000, 1e15])('a token that is valid until %i cuts nothing now', async (validUntil) => {
  const { client } = await connected(validUntil);
  await until(() => expect(client.received.length).toBeGreaterThan(0));
  const before = client.received.length;
  client.socket.write(packetBytes({ cmd: 'pingreq' }));
  await until(() => expect(client.received.length).toBeGreaterThan(before));
  client.socket.destroy();
  await client.closed;
});
