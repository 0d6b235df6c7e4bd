// Files that only their owner reads. The data folder is full of them: usernames, addresses, digests, keys.

import { chmodSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const privateFileMode = 0o600;
export const privateFolderMode = 0o700;

/** Written beside and renamed: a kill in the middle must not leave half of it. */
export function writePrivateFile(file: string, content: string): void {
  writeFileSync(`${file}.new`, content, { mode: privateFileMode });
  renameSync(`${file}.new`, file);
}

/** What the product and its engine keep in a data folder, and what a kill in the middle of writing leaves. */
const own =
  /^(alive|format|lock|probe-\d+|certificate\.pem|key\.pem|password-keys\.json|\S+\.journal)(\.new)?$|^dynamodb\.sqlite/;

/**
 * Takes the files of a data folder that exists away from others, and the folder too where nothing else lies in it: a
 * folder that the product shares, such as /tmp, stays as it is. Answers what could not be done.
 */
export function makePrivate(folder: string): readonly string[] {
  const entries = readdirSync(folder);
  const files = entries.filter((name) => own.test(name)).map((name) => join(folder, name));
  const problems = files.flatMap((file) => takeAway(file, privateFileMode));
  return files.length === entries.length ? [...problems, ...takeAway(folder, privateFolderMode)] : problems;
}

function takeAway(path: string, mode: number): readonly string[] {
  try {
    if ((statSync(path).mode & 0o777) !== mode) chmodSync(path, mode);
    return [];
  } catch (error) {
    return [`others may read ${path}: ${error instanceof Error ? error.message : String(error)}`];
  }
}
