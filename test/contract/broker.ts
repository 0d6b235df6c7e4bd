// What every Broker keeps (shared/ports/presence/broker.ts). Each implementation brings a way to make connections at it.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BrokerClientId } from '../../shared/domain/ids.ts';
import type { Broker } from '../../shared/ports/presence/broker.ts';
import { until } from '../support/until.ts';

export interface BrokerUnderTest {
  readonly broker: Broker;
  /** Makes a connection and answers what ends it without ending the session. */
  connect(clientId: string, expirySeconds: number): Promise<() => Promise<void>>;
  /** Whether the connection that `connect` made last for this client id is still there. */
  isConnected(clientId: string): boolean;
  close(): Promise<void>;
}

export function describeBroker(name: string, start: () => Promise<BrokerUnderTest>): void {
  describe(`Broker as ${name}`, () => {
    let bench: BrokerUnderTest;
    beforeAll(async () => {
      bench = await start();
    });
    afterAll(() => bench.close());
    const says = (clientId: string) => bench.broker.getConnection(clientId as BrokerClientId);
    const end = (clientId: string, cleanSession: boolean) =>
      bench.broker.deleteConnection(clientId as BrokerClientId, { cleanSession });

    test('says absent of whoever is unknown, and gone where there is nothing to end', async () => {
      expect(await says('demo:nobody')).toEqual({ kind: 'absent' });
      expect(await end('demo:nobody', true)).toBe('gone');
      expect(await end('demo:nobody', false)).toBe('gone');
    });

    test('says connected, with the expiry of the session', async () => {
      await bench.connect('demo:here', 120);
      expect(await says('demo:here')).toMatchObject({ kind: 'connected', expirySeconds: 120 });
      const answer = await says('demo:here');
      expect(answer.kind === 'connected' && typeof answer.since).toBe('number');
    });

    test('says retained of a session whose connection is over, and since when', async () => {
      const leave = await bench.connect('demo:left', 300);
      await leave();
      await until(async () => expect(await says('demo:left')).toMatchObject({ kind: 'retained', expirySeconds: 300 }));
      const answer = await says('demo:left');
      expect(answer.kind === 'retained' && typeof answer.disconnectedAt).toBe('number');
    });

    test('says absent of a connection that is over and kept no session', async () => {
      const leave = await bench.connect('demo:clean', 0);
      await leave();
      await until(async () => expect(await says('demo:clean')).toEqual({ kind: 'absent' }));
    });

    test('ends a connection and keeps its session, or ends both', async () => {
      await bench.connect('demo:kicked', 300);
      expect(await end('demo:kicked', false)).toBe('done');
      await until(() => expect(bench.isConnected('demo:kicked')).toBe(false));
      expect(await says('demo:kicked')).toMatchObject({ kind: 'retained' });
      expect(await end('demo:kicked', true)).toBe('done');
      expect(await says('demo:kicked')).toEqual({ kind: 'absent' });
      expect(await end('demo:kicked', true)).toBe('gone');

      await bench.connect('demo:both', 300);
      expect(await end('demo:both', true)).toBe('done');
      await until(() => expect(bench.isConnected('demo:both')).toBe(false));
      expect(await says('demo:both')).toEqual({ kind: 'absent' });
    });

    test('does not keep out whoever was ended', async () => {
      await bench.connect('demo:again', 0);
      expect(await end('demo:again', true)).toBe('done');
      await bench.connect('demo:again', 0);
      expect(await says('demo:again')).toMatchObject({ kind: 'connected' });
    });

    test.each(['demo:with/slash', 'demo:100%', 'demo:ü & ~', 'demo:a b', 'demo:..'])(
      'knows %j from every other client id',
      async (clientId) => {
        await bench.connect(clientId, 60);
        expect(await says(clientId)).toMatchObject({ kind: 'connected' });
        expect(await says(encodeURIComponent(clientId))).toEqual({ kind: 'absent' });
        expect(await end(clientId, true)).toBe('done');
        expect(await says(clientId)).toEqual({ kind: 'absent' });
      },
    );
  });
}
