// One line of JSON an entry, as CloudWatch and every log collector read it.

import type { Log } from '../../ports/log.ts';

type Level = 'info' | 'warn' | 'error';

export function createJsonLog(write: (line: string) => void = (line) => process.stdout.write(`${line}\n`)): Log {
  const entry =
    (level: Level) =>
    (message: string, fields?: Readonly<Record<string, unknown>>): void =>
      write(JSON.stringify({ level, message, ...fields }));
  return { info: entry('info'), warn: entry('warn'), error: entry('error') };
}
