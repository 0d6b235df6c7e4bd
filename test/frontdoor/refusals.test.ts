// The answers that the front door gives by itself, byte for byte (S5 to S9, S17).
import { connectAsync } from 'mqtt';
import { afterEach, describe, expect, test } from 'vitest';
import type { RejectReason } from '../../shared/domain/connack.ts';
import { connectBytes, packetBytes, RawClient, type Rig, type RigOptions, reject, startRig } from './rig.ts';

let rig: Rig;
afterEach(() => rig.close());

async function answerTo(bytes: Uint8Array, options: RigOptions = {}): Promise<string> {
  rig = await startRig(options);
  const client = new RawClient(rig.port);
  client.socket.write(bytes);
  return client.all();
}

const reasonStrings: Record<RejectReason, string> = {
  bad_credentials: 'Bad user name or password',
  suspended: 'Not authorized',
  blocked: 'Not authorized',
  client_id: 'Client identifier not valid',
  client_id_held: 'Client identifier not valid',
  quota_exceeded: 'Session quota of this user name exceeded',
  unavailable: 'Server unavailable, try again',
};

function connackV5(code: string, reasonString: string): string {
  const byte = (value: number) => value.toString(16).padStart(2, '0');
  const size = reasonString.length;
  return `20${byte(size + 6)}00${code}${byte(size + 3)}1f00${byte(size)}${Buffer.from(reasonString).toString('hex')}`;
}

describe('a rejected CONNECT is answered with its exact CONNACK and closed', () => {
  test.each<[RejectReason, string, string]>([
    ['quota_exceeded', '97', '03'],
    ['bad_credentials', '86', '04'],
    ['suspended', '87', '05'],
    ['blocked', '87', '05'],
    ['client_id', '85', '02'],
    ['client_id_held', '85', '02'],
    ['unavailable', '88', '03'],
  ])('%s', async (reason, v5, v3) => {
    const decide = () => reject(reason);
    expect(await answerTo(connectBytes(), { decide })).toBe(connackV5(v5, reasonStrings[reason]));
    for (const protocolVersion of [3, 4] as const) {
      await rig.close();
      expect(await answerTo(connectBytes({ protocolVersion }), { decide })).toBe(`200200${v3}`);
      expect(rig.requests[0]?.hints?.protocolVersion).toBe(protocolVersion);
    }
    expect(rig.reports).toEqual([]);
  });

  test('a real client reads 0x97 and its reason string', async () => {
    rig = await startRig({ decide: () => reject('quota_exceeded') });
    const refused = connectAsync(
      `mqtt://127.0.0.1:${rig.port}`,
      { protocolVersion: 5, clientId: 'c', reconnectPeriod: 0 },
      false,
    );
    await expect(refused).rejects.toMatchObject({ code: 0x97 });
  });

  test('also where the client has already said that it will send no more', async () => {
    rig = await startRig({
      decide: async () => {
        // When a connection that came later has been dealt with, the end of this one has been seen.
        const later = new RawClient(rig.port);
        later.socket.write(packetBytes({ cmd: 'pingreq' }));
        await later.closed;
        return reject('quota_exceeded');
      },
    });
    const client = new RawClient(rig.port, true);
    client.socket.end(connectBytes({ protocolVersion: 4 }));
    client.socket.once('end', () => client.socket.destroy());
    expect(await client.all()).toBe('20020003');
  });

  test('also where the client goes on sending: no reset makes it lose the CONNACK', async () => {
    rig = await startRig({ decide: () => reject('quota_exceeded') });
    const client = new RawClient(rig.port, true);
    client.socket.write(connectBytes({ protocolVersion: 4 }));
    // More than what is held behind a CONNECT, so that bytes are left unread in the kernel when the answer comes.
    client.socket.write(Buffer.alloc(4_000_000));
    client.socket.once('end', () => client.socket.end());
    expect(await client.all()).toBe('20020003');
    expect(client.hadError).toBe(false);
  });
});

describe('the packet size that the client takes is kept [MQTT-3.1.2-24]', () => {
  const withMaximum = (maximumPacketSize: number) =>
    answerTo(connectBytes({ properties: { maximumPacketSize } }), { decide: () => reject('quota_exceeded') });
  const whole = connackV5('97', reasonStrings.quota_exceeded);

  test('a reason string that just fits is sent', async () => {
    expect(await withMaximum(whole.length / 2)).toBe(whole);
  });
  test('one that does not fit is left out', async () => {
    expect(await withMaximum(whole.length / 2 - 1)).toBe('2003009700');
  });
  test('a CONNACK that does not fit is not sent at all', async () => {
    expect(await withMaximum(4)).toBe('');
  });
});

describe('what is answered without asking the admission', () => {
  const withLevel = (level: number) => {
    const bytes = connectBytes({ protocolVersion: 4 });
    bytes.writeUInt8(level, bytes.indexOf('MQTT') + 4);
    return bytes;
  };

  test.each([0, 2, 3, 0x84])('protocol level %i is answered in the words of MQTT 3.1.1', async (level) => {
    expect(await answerTo(withLevel(level))).toBe('20020001');
    expect(rig.requests).toEqual([]);
  });
  test.each([6, 127])('protocol level %i is answered in the words of MQTT 5', async (level) => {
    expect(await answerTo(withLevel(level))).toBe(connackV5('84', 'Unsupported protocol version'));
    expect(rig.requests).toEqual([]);
  });
  test('enhanced authentication is a bad authentication method', async () => {
    const properties = { authenticationMethod: 'SCRAM-SHA-256', authenticationData: Buffer.from('n,,') };
    expect(await answerTo(connectBytes({ properties }))).toBe(connackV5('8c', 'Bad authentication method'));
    expect(rig.requests).toEqual([]);
  });
});

test('an admission that throws is unavailable', async () => {
  const decide = () => Promise.reject(new Error('a defect'));
  expect(await answerTo(connectBytes({ protocolVersion: 4 }), { decide })).toBe('20020003');
});

test('neither a password nor the suffix of a user name is logged', async () => {
  const username = 'alice?deployment=demo&ticket=forged-ticket';
  await answerTo(connectBytes({ username }), { decide: () => reject('bad_credentials') });
  expect(rig.logged).toHaveLength(1);
  expect(rig.logged.join()).not.toMatch(/secret|forged|\?deployment/);
});
