// A process that holds what it was told to hold until it is killed: `engine <folder>` or `data-dir <folder>`. Says
// what it holds in one line.

import { openDataDir } from '../../local/data-dir.ts';
import { startEngine } from '../../local/engine.ts';
import { ms } from '../../shared/domain/time.ts';

const [what, folder = ''] = process.argv.slice(2);
if (what === 'engine') {
  const engine = await startEngine({ dataDir: folder });
  process.stdout.write(`${engine.endpoint}\n`);
} else {
  await openDataDir({ path: folder, clock: { now: () => ms(Date.now()) } });
  process.stdout.write('open\n');
}
// Neither an engine nor a data directory keeps a process alive by itself.
setInterval(() => undefined, 60_000);
