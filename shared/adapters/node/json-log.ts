// One line of JSON an entry, as CloudWatch and every log collector read it.

import type { Log } from '../../ports/common/log.ts';

/** Characters that turn the direction of what follows: a terminal must not show a line other than it is. */
const directionMarks = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

const escapeMark = (mark: string): string => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** From the most to the fewest entries. No entry of the product is below `info` so far. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** `least`: entries below it are left out. */
export function createJsonLog(
  write: (line: string) => void = (line) => process.stdout.write(`${line}\n`),
  least: LogLevel = 'debug',
): Log {
  const entry =
    (level: LogLevel) =>
    (message: string, fields?: Readonly<Record<string, unknown>>): void => {
      if (logLevels.indexOf(level) < logLevels.indexOf(least)) return;
      write(JSON.stringify({ level, message, ...fields }).replaceAll(directionMarks, escapeMark));
    };
  return { info: entry('info'), warn: entry('warn'), error: entry('error') };
}
