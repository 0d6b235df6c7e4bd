// The one file that holds what an installation chose. It belongs to the operator, and lies where the operator wants it.

import { lstatSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ChoiceError } from './choice-error.ts';
import { JsonMistake, readJson } from './json-text.ts';

export interface ChoicesFile {
  readonly path: string;
  /** By name. `null` drops a choice on purpose. Empty where there is no file at the default place. */
  readonly choices: Readonly<Record<string, unknown>>;
}

const variable = 'HEADCOUNT_CHOICES';
/** Beside cdk.json. */
const defaultPath = fileURLToPath(new URL('../headcount.json', import.meta.url));

/** Throws where the file cannot be read, or holds something else than one JSON object. */
export function readChoicesFile(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  otherwise: string = defaultPath,
): ChoicesFile {
  const named = environment[variable];
  if (named === undefined && !isThere(otherwise)) return { path: otherwise, choices: {} };
  // An empty variable is a word that was lost, and the defaults would replace every choice.
  if (named === '') throw new ChoiceError(`${variable} is empty; allowed is the path of a file, or no such variable`);
  const path = resolve(named ?? otherwise);
  return { path, choices: parseChoices(readText(path, named), path) };
}

/** Also true for a link that leads nowhere: it must not pass for "no choices". */
function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Many times what all choices take; the reader of JSON goes as deep as what it is given. */
const maxBytes = 100_000;

function readText(path: string, named: string | undefined): string {
  try {
    const text = readFileSync(path, 'utf8').replace(/^\ufeff/, '');
    if (text.length <= maxBytes) return text;
  } catch (error) {
    const origin = named === undefined ? '' : ` (${variable} is ${JSON.stringify(named)})`;
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new ChoiceError(
      `the choices file ${path}${origin} cannot be read: ${code}; allowed is a readable file with JSON`,
    );
  }
  throw new ChoiceError(
    `the choices file ${path} has more than ${maxBytes} characters; allowed are choices and nothing else`,
  );
}

function parseChoices(text: string, path: string): Readonly<Record<string, unknown>> {
  try {
    const value = readJson(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    throw new JsonMistake('line 1: the file holds no object; allowed is {"<choice>": <value>, ...}');
  } catch (error) {
    if (error instanceof JsonMistake) throw new ChoiceError(`${path}, ${error.message}`);
    throw error;
  }
}
