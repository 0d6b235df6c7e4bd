// The product as `npm start` runs it, started again on a folder that a process left by SIGKILL with many sessions.

import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableName } from '../../local/data.ts';
import { startEngine } from '../../local/engine.ts';
import { createDocumentClient } from '../../shared/adapters/dynamodb/common/client.ts';
import { ownerKey } from '../../shared/adapters/dynamodb/common/keys.ts';
import { type ClientId, type DeploymentId, toBrokerClientId } from '../../shared/domain/ids.ts';
import { ms, toEpochSeconds } from '../../shared/domain/time.ts';
import { nameOf, writeItems } from '../fill/items.ts';
import { sessionsOf } from '../growth/items.ts';

const root = join(import.meta.dirname, '../..');
const deploymentId = 'demo' as DeploymentId;
const retainedSeconds = 3_600;
const keptSeconds = 86_400;
const readyWithinMs = 300_000;

interface Run {
  readonly child: ChildProcess;
  readonly tookMs: number;
}

/** Resolves when it says `ready`. */
async function start(folder: string): Promise<Run> {
  const env = { ...process.env, DATA_DIR: folder, MQTT_PORT: '0', MQTTS_PORT: '0', HTTP_PORT: '0' };
  const begun = performance.now();
  const child = spawn(process.execPath, ['--import', 'tsx/esm', 'local/main.ts'], { cwd: root, env });
  let said = '';
  const isReady = new Promise<void>((resolve, reject) => {
    const listen = (chunk: Buffer): void => {
      said += chunk.toString();
      if (/^ready /m.test(said)) resolve();
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${said}`)));
    setTimeout(() => reject(new Error(`not ready in time: ${said}`)), readyWithinMs).unref();
  });
  await isReady;
  return { child, tookMs: performance.now() - begun };
}

async function kill({ child }: Run): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

/** All of them connected; of every second one the broker has granted an expiry, the others end with the process. */
async function fill(folder: string, usernames: number, each: number): Promise<void> {
  const at = ms(Date.now());
  const engine = await startEngine({ dataDir: folder });
  const client = createDocumentClient({ endpoint: engine.endpoint, requestTimeoutMs: 10_000, maxSockets: 16 });
  const journal: string[] = [];
  function* items(): Generator<Record<string, unknown>> {
    for (let n = 0; n < usernames; n++) {
      const username = nameOf(n);
      for (const item of sessionsOf(deploymentId, username, each, at)) {
        yield item;
        if (!String(item.pk).startsWith('S|')) continue;
        const clientId = String(item.sk) as ClientId;
        yield { ...ownerKey(deploymentId, clientId), username, ttl: toEpochSeconds(at) + keptSeconds, rev: 'bench' };
        const expirySeconds = journal.length % 2 === 0 ? 0 : retainedSeconds;
        journal.push(
          JSON.stringify([toBrokerClientId(deploymentId, clientId), { kind: 'connected', at, expirySeconds }]),
        );
      }
    }
  }
  await writeItems(client, tableName, items());
  client.destroy();
  await engine.stop();
  appendFileSync(join(folder, 'broker-sessions.journal'), `${journal.join('\n')}\n`);
}

/** Milliseconds from the start of the process to `ready`. */
export async function timeRestart(usernames: number, each: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'headcount-bench-'));
  try {
    await kill(await start(folder));
    await fill(folder, usernames, each);
    const run = await start(folder);
    await kill(run);
    return run.tookMs;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
