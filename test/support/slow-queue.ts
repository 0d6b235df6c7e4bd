// The product, but for its presence queue, which takes messages and hands out none of them: what happens where the
// process ends before anything is handled.

import { parseConfig } from '../../local/config.ts';
import { startProduct } from '../../local/product.ts';
import { systemClock } from '../../shared/adapters/node/clock.ts';
import { createJsonLog } from '../../shared/adapters/node/json-log.ts';

const hourMs = 3_600_000;

const { mqttPort, mqttsPort, httpPort } = await startProduct({
  config: parseConfig(process.env),
  clock: systemClock,
  log: createJsonLog((line) => process.stderr.write(`${line}\n`)),
  queueFaults: { random: () => 0.5, delayMs: [hourMs, hourMs] },
});
process.stdout.write(`ready mqtt=${mqttPort} mqtts=${mqttsPort} http=${httpPort}\n`);
