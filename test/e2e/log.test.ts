// What the product writes down of its clients: stripped usernames at most, never a password, a token, or what stands
// behind the `?` of a user name.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from '../../local/config.ts';
import { type Product, startProduct } from '../../local/product.ts';
import { ms } from '../../shared/domain/time.ts';
import { type ClientSpec, join, refusalOf } from '../support/mqtt.ts';

let product: Product;
const written: string[] = [];

beforeAll(async () => {
  const note = (message: string, fields?: object) => void written.push(JSON.stringify({ message, ...fields }));
  product = await startProduct({
    config: parseConfig({ MQTT_PORT: '0', MQTTS_PORT: '0', HTTP_PORT: '0', DATA_DIR: ':memory:' }),
    clock: { now: () => ms(Date.now()) },
    log: { info: note, warn: note, error: note },
  });
}, 60_000);
afterAll(() => product.stop());

test('refused or let in, nothing of a secret is written', async () => {
  const suffix = '?deployment=demo&x-amz-customauthorizer-name=hidden-suffix';
  const spec = (more: Partial<ClientSpec>): ClientSpec => ({
    version: 5,
    clientId: 'c1',
    username: `alice${suffix}`,
    password: 'hidden-password',
    ...more,
  });
  const token = 'eyJhbGciOiJub25lIn0.aGlkZGVuLXRva2Vu.aGlkZGVuLXNpZ25hdHVyZQ';
  const refused: [Partial<ClientSpec>, number][] = [
    [{}, 0x86],
    [{ version: 4 }, 0x04],
    [{ password: token }, 0x86],
    [{ username: `nobody${suffix}` }, 0x86],
    [{ username: 'alice?deployment=hidden-suffix&ticket=hidden-ticket' }, 0x86],
    [{ password: 'alice-secret', clientId: 'a+b' }, 0x85],
  ];
  for (const [more, code] of refused) expect(await refusalOf(join(product, spec(more)))).toBe(code);
  const client = await join(product, spec({ password: 'alice-secret' }));
  await client.endAsync();
  await product.quiet();
  // The refusals have been written down, so this looks at something.
  expect(written.filter((line) => line.includes('a connect was rejected')).length).toBe(refused.length);
  for (const secret of ['hidden', 'alice-secret', token, 'customauthorizer'])
    expect(written.join('\n')).not.toContain(secret);
  // Once the credentials are right a line says whose refusal it is and why; before that, of nobody.
  const lines = written.filter((line) => line.includes('a connect was rejected')).map((line) => JSON.parse(line));
  const names = { deploymentId: 'demo', username: 'alice', clientId: 'a+b', reason: 'client_id_invalid' };
  expect(lines.pop()).toMatchObject(names);
  for (const line of lines) for (const name of Object.keys(names)) expect(line).not.toHaveProperty(name);
}, 60_000);
