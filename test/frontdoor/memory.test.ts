// Ten thousand idle connections must fit into one front door, so none may keep what it was sent at its beginning.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { until } from '../support/until.ts';
import { connectBytes, packetBytes, RawClient, startPeer, startRig } from './rig.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

test('an idle connection keeps neither its CONNECT nor what came behind it', async () => {
  const connections = 100;
  const payload = Buffer.alloc(60_000);
  const publish = packetBytes({ cmd: 'publish', topic: 't', payload, qos: 0, dup: false, retain: false });
  const first = Buffer.concat([connectBytes({ will: { topic: 'w', payload } }), publish]);
  let arrived = 0;
  const broker = await startPeer((socket) => {
    socket.once('data', () => socket.write(Buffer.from('2003000000', 'hex')));
    socket.on('data', (chunk) => {
      arrived += chunk.length;
    });
  });
  const rig = await startRig({ brokerPort: broker.port });
  const clients: RawClient[] = [];
  collectGarbage();
  const before = process.memoryUsage().arrayBuffers;
  for (let each = 0; each < connections; each += 1) {
    const client = new RawClient(rig.port);
    client.socket.write(first);
    clients.push(client);
  }
  await until(() => expect(arrived).toBeGreaterThan(connections * first.length));
  // What the test remembers of the requests is no memory of the front door.
  rig.requests.length = 0;
  await until(() => {
    collectGarbage();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2_000_000);
  });
  for (const client of clients) client.socket.destroy();
  await rig.close();
  await broker.close();
});
