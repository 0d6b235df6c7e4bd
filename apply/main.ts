// `npm run apply -- file.yaml [--dry-run]`: a deployment and its limits as a file says, over the HTTP API. Shows what it
// changes before it does. Ends with 0 where all is as the file says, 1 where it could not be, 2 where the file or the address is wrong.

import { readFileSync } from 'node:fs';
import { parseAddress } from './address.ts';
import { createInstallation, Refused } from './installation.ts';
import { planChanges } from './plan.ts';
import { readFile } from './read-file.ts';

const usage = 'usage: npm run apply -- <file.yaml> [--dry-run]   (HEADCOUNT_URL, HEADCOUNT_TOKEN)';

async function apply(args: readonly string[]): Promise<number> {
  const files = args.filter((arg) => !arg.startsWith('-'));
  const flags = args.filter((arg) => arg.startsWith('-'));
  const [file] = files;
  if (file === undefined || files.length > 1 || flags.some((flag) => flag !== '--dry-run')) {
    process.stderr.write(`${usage}\n`);
    return 2;
  }
  const dryRun = flags.length > 0;
  const read = readFile(readFileSync(file, 'utf8'));
  if (!read.ok) {
    for (const { line, problem } of read.faults) process.stderr.write(`${file}:${line}: ${problem}\n`);
    return 2;
  }
  const address = parseAddress(process.env.HEADCOUNT_URL ?? 'http://127.0.0.1:3000');
  if (!address.ok) {
    process.stderr.write(`apply: ${address.problem}\n`);
    return 2;
  }
  const installation = createInstallation(address.baseUrl, process.env.HEADCOUNT_TOKEN ?? 'local');
  const found = await installation.find(read.wanted);
  const steps = planChanges(read.wanted, found);
  if (steps.length === 0) process.stdout.write('nothing to change\n');
  let deploymentId = found.deployment?.deploymentId;
  for (const { change, shown } of steps) {
    process.stdout.write(`${shown}\n`);
    if (!dryRun) deploymentId = await installation.make(change, deploymentId);
  }
  if (steps.length > 0)
    process.stdout.write(dryRun ? 'nothing was changed: this was a dry run\n' : `done: deployment ${deploymentId}\n`);
  return 0;
}

try {
  process.exitCode = await apply(process.argv.slice(2));
} catch (error) {
  const said =
    error instanceof Refused ? error.message : String(error instanceof Error ? (error.cause ?? error) : error);
  process.stderr.write(`apply: ${said}\n`);
  process.exitCode = 1;
}
