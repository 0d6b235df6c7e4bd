// `npm run apply -- file.yaml... [--dry-run]`: deployments and their limits as files say, over the HTTP API. Shows what it
// changes before it does. Ends with 0 where all is as the files say, 1 where it could not be, 2 where a file or the address is
// wrong, and with `--dry-run --detailed-exitcode` with 3 where something would change.

import { sentenceOf } from './carry-out.ts';
import { run } from './run.ts';

try {
  process.exitCode = await run(process.argv.slice(2), {
    env: process.env,
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
  });
} catch (error) {
  process.stderr.write(`apply: ${sentenceOf(error)}\n`);
  process.exitCode = 1;
}
