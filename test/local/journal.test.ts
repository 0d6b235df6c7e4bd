import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Journal, openJournal } from '../../local/journal.ts';

let folder: string;
let file: string;
const opened: Journal<number>[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headcount-journal-'));
  file = join(folder, 'numbers.journal');
});
afterEach(() => {
  for (const journal of opened.splice(0)) journal.close();
  rmSync(folder, { recursive: true, force: true });
});

/** As the next process opens it: the one before has not closed anything. */
function open(): Journal<number> {
  const journal = openJournal(file, (raw) => (typeof raw === 'number' ? raw : undefined));
  opened.push(journal);
  return journal;
}

const foundIn = (journal: Journal<number>): [string, number][] => [...(journal.found ?? [])];

describe('a journal', () => {
  test('holds what was put and not removed, in order of the last put, for whoever opens it next', () => {
    const first = open();
    expect(first.found).toBeUndefined();
    for (const [key, value] of [
      ['a', 1],
      ['b', 2],
      ['c', 3],
      ['a', 4],
    ] as const)
      first.put(key, value);
    first.remove('b');
    first.remove('never there');
    expect(foundIn(open())).toEqual([
      ['c', 3],
      ['a', 4],
    ]);
  });

  test('is there though it holds nothing', () => {
    open();
    expect(foundIn(open())).toEqual([]);
    expect(open().found).toBeDefined();
  });

  test('loses a line that was torn when the process died, at any byte of it, and no other', () => {
    const first = open();
    first.put('kept', 1);
    const before = statSync(file).size;
    first.put('torn "\\ ü', 2);
    first.close();
    const whole = readFileSync(file);
    for (let size = before; size < whole.length; size++) {
      rmSync(file);
      appendFileSync(file, whole);
      truncateSync(file, size);
      const torn = open();
      // Without its line feed the line is whole all the same.
      const expected =
        size < whole.length - 1
          ? [['kept', 1]]
          : [
              ['kept', 1],
              ['torn "\\ ü', 2],
            ];
      expect(foundIn(torn), `${size} bytes`).toEqual(expected);
      torn.put('next', 3);
      expect(foundIn(open()), `${size} bytes, and one line more`).toEqual([...expected, ['next', 3]]);
    }
  });

  test('leaves out what it does not know', () => {
    open().close();
    appendFileSync(file, '["text","one"]\n{"no":"entry"}\nnull\n[7,7]\n\0\0\n["number",1]\n');
    expect(foundIn(open())).toEqual([['number', 1]]);
  });

  test('stays small however much passes through it', () => {
    const journal = open();
    for (let n = 0; n < 10; n++) journal.put(`stays${n}`, n);
    let largest = 0;
    for (let n = 0; n < 20_000; n++) {
      journal.put(`passes${n}`, n);
      journal.remove(`passes${n}`);
      if (n % 500 === 0) largest = Math.max(largest, statSync(file).size);
    }
    // Some thousand lines of some twenty bytes, of forty thousand.
    expect(largest).toBeLessThan(60_000);
    expect(foundIn(open()).map(([, value]) => value)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(readdirSync(folder)).toEqual(['numbers.journal']);
  });

  test('takes nothing once it is closed, and says so', () => {
    const journal = open();
    journal.close();
    expect(() => journal.put('late', 1)).toThrow('closed');
    expect(foundIn(open())).toEqual([]);
  });

  test('is nobody else to read', () => {
    open().put('a', 1);
    expect(statSync(file).mode & 0o077).toBe(0);
  });
});
