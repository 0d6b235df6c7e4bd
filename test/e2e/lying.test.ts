// Clients that lie about their session's expiry, at the wire: the broker never holds more of a username than is counted
// (S10, I1b), and nothing lives there that a kick does not reach (S15).

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildConnect, dialRaw } from '../support/mqtt.ts';
import { eventually, type Rig, startRig } from '../support/product.ts';

const week = 604_800;
const demo = '/deployments/demo';
let rig: Rig;
beforeAll(async () => {
  rig = await startRig();
});
afterAll(() => rig.stop());

/** Connects with an expiry of a week, sends `bytes` once it is let in, and goes. Answers the CONNACK's reason code. */
async function lie(clientId: string, bytes: string): Promise<number | undefined> {
  const client = await dialRaw(rig.product);
  client.socket.write(buildConnect({ version: 5, clientId, expirySeconds: week }));
  const [type, , , reasonCode] = await client.bytes(4);
  expect(type).toBe(0x20);
  if (reasonCode === 0) client.socket.end(Buffer.from(bytes, 'hex'));
  await client.closed();
  const isTold = async (): Promise<boolean> =>
    (await rig.api('GET', `${demo}/clients/${clientId}`)).body.state !== 'connected';
  await eventually(isTold, 'its end is told');
  return reasonCode;
}

/** Whether the broker goes on with a session of this client id. */
async function resumes(clientId: string): Promise<boolean> {
  const client = await dialRaw(rig.product);
  client.socket.write(buildConnect({ version: 5, clientId, clean: false }));
  const [, , sessionPresent, reasonCode] = await client.bytes(4);
  expect(reasonCode).toBe(0);
  client.socket.end(Buffer.from('e000', 'hex'));
  await client.closed();
  return sessionPresent === 1;
}

describe.each([
  ['a malformed packet, then a DISCONNECT with expiry 0', '36020000e00700051100000000'],
  ['a DISCONNECT with expiry 0, then a malformed packet', 'e0070005110000000036020000'],
  ['a DISCONNECT, then another with a longer expiry', 'e000e00700051100093a80'],
  ['a DISCONNECT with expiry 0, then another with a longer one', 'e00700051100000000e00700051100093a80'],
  ['half a DISCONNECT with expiry 0', 'e007000511000000'],
  ['a DISCONNECT with the reason code of a server and expiry 0', 'e0078e051100000000'],
  ['a DISCONNECT with expiry 1, behind a malformed packet', '36020000e00700051100000001'],
])('%s', (_what, bytes) => {
  test('8 clients under a limit of 1: at no time does the broker hold more than is counted', async () => {
    await rig.limit(1);
    const names = Array.from({ length: 8 }, (_, n) => `liar-${n}`);
    const admitted: string[] = [];
    for (const clientId of names) {
      const code = await lie(clientId, bytes);
      expect([0, 0x97]).toContain(code);
      if (code === 0) admitted.push(clientId);
      expect(await rig.used('alice')).toBeLessThanOrEqual(1);
    }
    expect(admitted.length).toBeGreaterThan(0);
    const used = await rig.used('alice');
    expect((await rig.api('DELETE', `${demo}/session-limit`)).status).toBe(204);
    rig.advance(5);
    let held = 0;
    for (const clientId of admitted) if (await resumes(clientId)) held += 1;
    expect(held).toBe(used);

    const { body } = await rig.api('DELETE', `${demo}/session-usage/alice/sessions`);
    const done = async (): Promise<boolean> =>
      (await rig.api('GET', `/operations/${body.operationId}`)).body.status === 'done';
    await eventually(done, 'the kick is done');
    expect(await rig.used('alice')).toBe(0);
    for (const clientId of admitted) expect(await resumes(clientId)).toBe(false);
    await eventually(async () => (await rig.used('alice')) === 0, 'all are gone');
  }, 180_000);
});
