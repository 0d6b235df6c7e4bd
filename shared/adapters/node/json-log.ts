// One line of JSON an entry, as CloudWatch and every log collector read it.

import type { Log } from '../../ports/log.ts';

/** Characters that turn the direction of what follows: a terminal must not show a line other than it is. */
const directionMarks = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

const escapeMark = (mark: string): string => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`;

type Level = 'info' | 'warn' | 'error';

export function createJsonLog(write: (line: string) => void = (line) => process.stdout.write(`${line}\n`)): Log {
  const entry =
    (level: Level) =>
    (message: string, fields?: Readonly<Record<string, unknown>>): void =>
      write(JSON.stringify({ level, message, ...fields }).replaceAll(directionMarks, escapeMark));
  return { info: entry('info'), warn: entry('warn'), error: entry('error') };
}
