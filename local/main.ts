// `npm start`: starts everything, says how to try it, and stops cleanly.

import { systemClock } from '../shared/adapters/node/clock.ts';
import { createJsonLog } from '../shared/adapters/node/json-log.ts';
import { parseConfig } from './config.ts';
import { buildConsole } from './console-build.ts';
import { explain } from './explain.ts';
import { buildGreeting } from './greeting.ts';
import { type Product, startProduct } from './product.ts';
import { createStopSignal } from './shutdown.ts';

// The SDK is pinned to a version that runs on every Node this product supports; its reminder helps nobody here.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const tell = (sentence: string): void => void process.stderr.write(`headcount: ${sentence}\n`);

const parentEveryMs = 500;

let product: Product | undefined;
let stopping = false;

async function stop(code: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  await product?.stop();
  process.exit(code);
}

const onSignal = createStopSignal(
  () => void stop(0),
  () => process.exit(1),
  () => performance.now(),
);
process.on('SIGINT', onSignal);
process.on('SIGTERM', onSignal);

// npm passes on SIGINT and SIGTERM only. A product without its npm has no supervisor, and would hold the data folder
// against the one that the supervisor starts next.
if (process.env.npm_lifecycle_event === 'start') {
  const npm = process.ppid;
  setInterval(() => process.ppid === npm || void stop(0), parentEveryMs).unref();
}

try {
  const config = parseConfig(process.env);
  // Built beside the start of everything else. Devices and the API need no console: without one the rest still runs.
  const consoleFolder = buildConsole();
  consoleFolder.catch((error: unknown) => tell(`runs without the console: ${explain(error)}`));
  product = await startProduct({
    config,
    consoleFolder,
    clock: systemClock,
    log: createJsonLog((line) => process.stderr.write(`${line}\n`), config.logLevel),
    onFailure(problem) {
      tell(problem);
      void stop(1);
    },
    onWarning: tell,
    onProgress: tell,
  });
  if (stopping) await product.stop();
  else process.stdout.write(buildGreeting({ ...config, ...product }));
} catch (error) {
  tell(explain(error));
  process.exit(1);
}
