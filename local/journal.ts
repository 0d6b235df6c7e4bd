// A map that outlives its process: every change is a line at the end of a file, and is in the file when the call
// returns. That is as much as a kill -9 can be survived with: the line is the kernel's then. It is not forced to the
// disk, so a machine that loses its power may lose the last of them.

import { closeSync, existsSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import { privateFileMode } from './private-file.ts';

export interface Journal<T> {
  /** What the file held when it was opened, oldest first; undefined where there was no file, or none is kept. */
  readonly found: ReadonlyMap<string, T> | undefined;
  /** Throws where the file cannot be written; then nothing has changed. */
  put(key: string, value: T): void;
  /** The same. A key that is not there changes nothing. */
  remove(key: string): void;
  close(): void;
}

/** Lines that may be out of date before the file is written anew, beside as many as are in use. */
const staleLinesMax = 1_024;

/** For a run that keeps nothing. */
export const noJournal: Journal<never> = {
  found: undefined,
  put: () => undefined,
  remove: () => undefined,
  close: () => undefined,
};

/** `parse` answers undefined for what it does not know: such a line is left out. */
export function openJournal<T>(file: string, parse: (raw: unknown) => T | undefined): Journal<T> {
  const found = existsSync(file) ? read(file, parse) : undefined;
  // A line for each key, in the order of their arrival.
  const lines = new Map<string, string>();
  for (const [key, value] of found ?? []) lines.set(key, buildLine(key, value));
  let written = 0;
  let torn = false;
  let descriptor: number | undefined;

  // Written beside and renamed: a kill in the middle must not leave half of it.
  function writeAnew(): void {
    writeFileSync(`${file}.new`, [...lines.values()].join(''), { mode: privateFileMode });
    const next = openSync(`${file}.new`, 'a');
    renameSync(`${file}.new`, file);
    if (descriptor !== undefined) closeSync(descriptor);
    descriptor = next;
    written = lines.size;
  }

  function append(line: string): void {
    if (descriptor === undefined) throw new Error(`the journal ${file} is closed`);
    // After a line that came in half, on a full disk, the next one must not go on where it broke off.
    const bytes = Buffer.from(torn ? `\n${line}` : line);
    torn = true;
    if (writeSync(descriptor, bytes) !== bytes.length)
      throw new Error(`the journal ${file} could not be written whole`);
    torn = false;
    written += 1;
  }

  function compact(): void {
    if (written <= 2 * lines.size + staleLinesMax) return;
    try {
      writeAnew();
    } catch {
      // The file as it is holds all that it must; a full disk may have room by the next time.
      written = lines.size;
    }
  }

  writeAnew();
  return {
    found,
    put(key, value) {
      const line = buildLine(key, value);
      append(line);
      lines.delete(key);
      lines.set(key, line);
      compact();
    },
    remove(key) {
      if (!lines.has(key)) return;
      append(buildLine(key, undefined));
      lines.delete(key);
      compact();
    },
    close() {
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    },
  };
}

/** `[key, value]`, or `[key]` for one that is gone. */
function buildLine(key: string, value: unknown): string {
  return `${JSON.stringify(value === undefined ? [key] : [key, value])}\n`;
}

/** The last line may be torn, whenever the process died over it: what was not written whole was never answered. */
function read<T>(file: string, parse: (raw: unknown) => T | undefined): Map<string, T> {
  const found = new Map<string, T>();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const entry = parseLine(line);
    if (entry === undefined) continue;
    found.delete(entry.key);
    const value = entry.raw === undefined ? undefined : parse(entry.raw);
    if (value !== undefined) found.set(entry.key, value);
  }
  return found;
}

function parseLine(line: string): { readonly key: string; readonly raw: unknown } | undefined {
  try {
    const entry: unknown = JSON.parse(line);
    if (!Array.isArray(entry) || typeof entry[0] !== 'string') return undefined;
    return { key: entry[0], raw: entry[1] };
  } catch {
    return undefined;
  }
}
