// Limits as files, over the HTTP API. All files are read, then all are planned and shown, then all are prepared, and only
// then is anything changed. What fails in one file keeps no other from being made.

import { readFileSync } from 'node:fs';
import { parseAddress } from './address.ts';
import { carryOut, prepare, scopesFor, sentenceOf, type Versions, type Work } from './carry-out.ts';
import { createInstallation, type Installation } from './installation.ts';
import { planChanges } from './plan.ts';
import { readFile, type Wanted } from './read-file.ts';
import { Refused } from './requests.ts';
import { oneLine } from './shown-text.ts';

const usage =
  'usage: npm run apply -- <file.yaml>... [--dry-run [--detailed-exitcode]]   (HEADCOUNT_URL, HEADCOUNT_TOKEN)';

/** In order: of several files the worst counts. */
const outcomes = { done: 0, drift: 3, refused: 1, wrong: 2 } as const;
type Outcome = keyof typeof outcomes;

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  out(text: string): void;
  err(text: string): void;
}

interface Read {
  readonly file: string;
  readonly wanted: Wanted;
}

type Planned = Work & { readonly file: string };

/** Answers the exit code. */
export async function run(args: readonly string[], io: Surroundings): Promise<number> {
  const files = args.filter((arg) => !arg.startsWith('-'));
  const flags = new Set(args.filter((arg) => arg.startsWith('-')));
  const [dryRun, detailed] = [flags.delete('--dry-run'), flags.delete('--detailed-exitcode')];
  if (files.length === 0 || flags.size > 0 || (detailed && !dryRun)) {
    io.err(`${usage}\n`);
    return outcomes.wrong;
  }
  const reads = readAll(files, io);
  const address = parseAddress(io.env.HEADCOUNT_URL ?? 'http://127.0.0.1:3000');
  if (!address.ok) io.err(`apply: ${address.problem}\n`);
  if (reads === undefined || !address.ok) return outcomes.wrong;

  const installation = createInstallation(address.baseUrl, io.env.HEADCOUNT_TOKEN ?? 'local');
  const planned = await inTurn(reads, io, (read) => plan(installation, read));
  const works = planned.done.filter(({ steps }) => steps.length > 0);
  for (const { file, steps } of planned.done) {
    if (files.length > 1) io.out(`${file}:\n`);
    for (const { shown } of steps) io.out(`${shown}\n`);
    if (steps.length === 0) io.out('nothing to change\n');
  }
  const twice = sameDeployment(planned.done);
  if (twice !== undefined) io.err(`apply: ${twice}\n`);
  if (dryRun) {
    if (works.length > 0) io.out('nothing was changed: this was a dry run\n');
    warnOfScopes(installation, works, io);
    const drift: Outcome = detailed && works.length > 0 ? 'drift' : 'done';
    return outcomes[twice !== undefined ? 'wrong' : planned.failed ? 'refused' : drift];
  }
  const prepared = await inTurn(works, io, async (work) => ({ work, versions: await prepare(installation, work) }));
  if (twice !== undefined || planned.failed || prepared.failed) {
    io.err('apply: nothing was changed\n');
    return outcomes[twice === undefined ? 'refused' : 'wrong'];
  }
  return outcomes[(await makeAll(installation, prepared.done, io)) ? 'done' : 'refused'];
}

function readAll(files: readonly string[], io: Surroundings): readonly Read[] | undefined {
  const faultsMax = 100;
  const reads: Read[] = [];
  for (const file of files) {
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(file);
    } catch (error) {
      io.err(`${file}: cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}\n`);
      continue;
    }
    const read = readFile(bytes);
    if (read.ok) reads.push({ file, wanted: read.wanted });
    const faults = read.ok ? [] : read.faults.map(({ line, problem }) => `${file}:${line}: ${oneLine(problem)}\n`);
    // One mistake can be met many times in its line.
    const told = [...new Set(faults)];
    for (const fault of told.slice(0, faultsMax)) io.err(fault);
    if (told.length > faultsMax) io.err(`${file}: ${told.length - faultsMax} more\n`);
  }
  return reads.length === files.length ? reads : undefined;
}

async function plan(installation: Installation, { file, wanted }: Read): Promise<Planned> {
  const found = await installation.find(wanted);
  const planned = planChanges(wanted, found);
  if (!planned.ok) throw new Refused(planned.problem);
  return { file, found, steps: planned.steps };
}

/** Two files about one deployment would each undo the other. */
function sameDeployment(planned: readonly Planned[]): string | undefined {
  const seen = new Map<string, string>();
  for (const { file, found, steps } of planned) {
    const created = steps[0]?.change.kind === 'create deployment' ? steps[0].shown : undefined;
    const which = found.deployment?.deploymentId ?? created ?? file;
    const first = seen.get(which);
    if (first !== undefined) return `${first} and ${file} are about the same deployment`;
    seen.set(which, file);
  }
  return undefined;
}

/** A dry run is made with a token that may only read as well. */
function warnOfScopes(installation: Installation, works: readonly Work[], io: Surroundings): void {
  const scopes = installation.scopes();
  const needed = new Set(works.flatMap(({ steps }) => scopesFor(steps)));
  const missing = [...needed].filter((scope) => scopes !== undefined && !scopes.has(scope));
  if (missing.length > 0) io.out(`this token may not make it so: it lacks ${missing.join(' and ')}\n`);
}

async function inTurn<T extends { readonly file: string }, R>(
  items: readonly T[],
  io: Surroundings,
  work: (item: T) => Promise<R>,
): Promise<{ readonly done: readonly R[]; readonly failed: boolean }> {
  const done: R[] = [];
  for (const item of items) {
    try {
      done.push(await work(item));
    } catch (error) {
      io.err(`apply: ${item.file}: ${sentenceOf(error)}\n`);
    }
  }
  return { done, failed: done.length < items.length };
}

async function makeAll(
  installation: Installation,
  prepared: readonly { readonly work: Planned; readonly versions: Versions }[],
  io: Surroundings,
): Promise<boolean> {
  const made = await inTurn(
    prepared.map(({ work, versions }) => ({ ...work, versions })),
    io,
    async (work) => io.out(`done: deployment ${await carryOut(installation, work, work.versions)}\n`),
  );
  return !made.failed;
}
