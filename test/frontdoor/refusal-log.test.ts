import { expect, test } from 'vitest';
import { createRefusalLog, refusalLinesPerSecond } from '../../frontdoor/refusal-log.ts';
import { ms } from '../../shared/domain/time.ts';

test('S24: a second of refusals is a few lines, and the next line says how many were left out', () => {
  let now = 5_000;
  const lines: unknown[] = [];
  const info = (_message: string, fields?: object) => void lines.push(fields);
  const log = { info, warn: info, error: info };
  const note = createRefusalLog(log, { now: () => ms(now) });
  for (let n = 0; n < 1_000; n++) note({ n });
  expect(lines).toEqual(Array.from({ length: refusalLinesPerSecond }, (_, n) => ({ n })));
  now += 1_000;
  note({ n: 'next' });
  note({ n: 'one more' });
  expect(lines.slice(refusalLinesPerSecond)).toEqual([
    { n: 'next', leftOut: 1_000 - refusalLinesPerSecond },
    { n: 'one more' },
  ]);
});
