// The product as `npm start` runs it, with its data in memory and without the console. It answers where it listens.

import { parseConfig } from '../../local/config.ts';
import { startProduct } from '../../local/product.ts';
import { systemClock } from '../../shared/adapters/node/clock.ts';
import { createJsonLog } from '../../shared/adapters/node/json-log.ts';
import { answerParent } from '../child/child.ts';

const log = createJsonLog((line) => process.stderr.write(`${line}\n`));
const config = parseConfig({ MQTT_PORT: '0', MQTTS_PORT: '0', HTTP_PORT: '0', DATA_DIR: ':memory:' });
// What is expected in daily running is not worth a line.
const starting = startProduct({ config, clock: systemClock, log: { ...log, info: () => undefined } });
const api = answerParent({
  async where() {
    const { mqttPort, httpPort } = await starting;
    return { mqttPort, httpPort };
  },
});

export type HeadcountApi = typeof api;
