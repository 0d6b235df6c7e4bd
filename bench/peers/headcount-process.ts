// The product as `npm start` runs it, with its data in memory and without the console. It answers where it listens.

import { setTimeout as wait } from 'node:timers/promises';
import { parseConfig } from '../../local/config.ts';
import { startProduct } from '../../local/product.ts';
import { systemClock } from '../../shared/adapters/node/clock.ts';
import { createJsonLog } from '../../shared/adapters/node/json-log.ts';
import { answerParent } from '../child/child.ts';

const log = createJsonLog((line) => process.stderr.write(`${line}\n`));
const config = parseConfig({ MQTT_PORT: '0', MQTTS_PORT: '0', HTTP_PORT: '0', DATA_DIR: ':memory:' });
// What is expected in daily running is not worth a line.
const starting = startProduct({ config, clock: systemClock, log: { ...log, info: () => undefined } });

/** A process at rest takes less of a core. */
const restingPart = 0.2;
const calmMs = 2_500;
const lookEveryMs = 250;
const calmWithinMs = 30_000;

const api = answerParent({
  async where() {
    const { mqttPort, httpPort } = await starting;
    return { mqttPort, httpPort };
  },
  /** Resolves when presence is applied and what follows it, as ranks, is done as well: then it has rested for a while. */
  async calm() {
    const { quiet } = await starting;
    const deadline = performance.now() + calmWithinMs;
    await Promise.race([quiet(), wait(calmWithinMs, undefined, { ref: false })]);
    let restingSince = performance.now();
    while (performance.now() < Math.min(deadline, restingSince + calmMs)) {
      const before = process.cpuUsage();
      await wait(lookEveryMs);
      const { user, system } = process.cpuUsage(before);
      if ((user + system) / 1_000 > restingPart * lookEveryMs) restingSince = performance.now();
    }
  },
});

export type HeadcountApi = typeof api;
