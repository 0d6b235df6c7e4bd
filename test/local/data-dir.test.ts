import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openDataDir } from '../../local/data-dir.ts';
import { ms } from '../../shared/domain/time.ts';
import { hold } from './hold.ts';
import { createManualTime } from './manual-time.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'headcount-data-dir-'));
});
afterEach(() => {
  chmodSync(root, 0o700);
  rmSync(root, { recursive: true });
});

test('a folder is made, private, and one instance at a time owns it, by whatever name', async () => {
  const { clock, schedule } = createManualTime();
  const path = join(root, 'a', 'b');
  const dir = await openDataDir({ path, clock, schedule });
  expect(dir).toMatchObject({ path, lastAliveAt: undefined });
  expect(statSync(path).mode & 0o777).toBe(0o700);

  symlinkSync(path, join(root, 'link'));
  const again = openDataDir({ path: join(root, 'link'), clock, schedule });
  await expect(again).rejects.toMatchObject({
    code: 'data_dir.locked',
    message: expect.stringContaining(`in use by another running instance (process ${process.pid})`),
  });

  await dir.close();
  const next = await openDataDir({ path, clock, schedule });
  await next.close();
});

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

test('what an older version left open to others is private before anything is written, and a foreign file is left alone', async () => {
  const { clock, schedule } = createManualTime();
  const own = [
    'alive',
    'format',
    'certificate.pem',
    'key.pem.new',
    'dynamodb.sqlite',
    'dynamodb.sqlite-wal',
    'x.journal',
  ];
  for (const name of own) writeFileSync(join(root, name), name === 'format' ? '1\n' : '');
  const open = (): void => {
    for (const name of readdirSync(root)) chmodSync(join(root, name), 0o644);
    chmodSync(root, 0o755);
  };
  open();
  const dir = await openDataDir({ path: root, clock, schedule });
  expect(dir.warnings).toEqual([]);
  expect(new Set(readdirSync(root).map((name) => modeOf(join(root, name))))).toEqual(new Set(['600']));
  expect(modeOf(root)).toBe('700');
  await dir.close();

  writeFileSync(join(root, 'notes.txt'), '');
  open();
  await (await openDataDir({ path: root, clock, schedule })).close();
  expect(own.map((name) => modeOf(join(root, name)))).toEqual(own.map(() => '600'));
  expect([modeOf(root), modeOf(join(root, 'notes.txt'))]).toEqual(['755', '644']);
});

test('a file that cannot be taken away from others is named, and keeps nothing from running', async () => {
  const { clock, schedule } = createManualTime();
  symlinkSync(join(root, 'nowhere'), join(root, 'key.pem'));
  const dir = await openDataDir({ path: root, clock, schedule });
  expect(dir.warnings).toEqual([expect.stringMatching(/^others may read \S+key\.pem: ENOENT/)]);
  await dir.close();
});

test('a lock ends with its process, SIGKILL included, and names it until then', async () => {
  const { clock, schedule } = createManualTime();
  const before = Date.now();
  const holder = await hold('data-dir', root);
  try {
    await expect(openDataDir({ path: root, clock, schedule })).rejects.toThrow(`(process ${holder.pid})`);
  } finally {
    await holder.kill();
  }
  const dir = await openDataDir({ path: root, clock, schedule });
  // The holder's own clock is the real one.
  expect(dir.lastAliveAt).toBeGreaterThanOrEqual(before);
  await dir.close();
}, 20_000);

test('of many that start at once exactly one gets it', async () => {
  const { clock, schedule } = createManualTime();
  const starts = await Promise.allSettled(
    Array.from({ length: 10 }, () => openDataDir({ path: root, clock, schedule })),
  );
  const dirs = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  expect(dirs).toHaveLength(1);
  for (const dir of dirs) await dir.close();
});

test('the heartbeat tells the next instance when this one was last alive', async () => {
  const { clock, schedule, advance } = createManualTime();
  const dir = await openDataDir({ path: root, clock, schedule });
  const startedAt = clock.now();
  const alive = () => Number(readFileSync(join(root, 'alive'), 'utf8'));
  expect(alive()).toBe(startedAt);
  advance(5_500);
  expect(alive()).toBe(startedAt + 5_000);
  await dir.close();
  expect(alive()).toBe(startedAt + 5_500);
  advance(60_000);
  expect(alive()).toBe(startedAt + 5_500);
  const next = await openDataDir({ path: root, clock, schedule });
  expect(next.lastAliveAt).toBe(startedAt + 5_500);
  await next.close();
});

test.each([
  ['a day behind', -86_400, 'sessions of that run count up to 1440 minutes longer'],
  ['an hour behind', -3_600, 'count up to 60 minutes longer'],
  ['set right by five minutes', -300, undefined],
  ['ahead', 86_400, undefined],
])('a clock %s of the last run: told where sessions count longer', async (_what, bySeconds, said) => {
  const { clock, schedule } = createManualTime();
  await (await openDataDir({ path: root, clock, schedule })).close();
  const shifted = { now: () => ms(clock.now() + bySeconds * 1_000) };
  const dir = await openDataDir({ path: root, clock: shifted, schedule });
  expect(dir.warnings).toEqual(said === undefined ? [] : [expect.stringContaining(said)]);
  await dir.close();
});

test('under a clock that is behind, a run that dies before it has settled leaves the time of the one before', async () => {
  const { clock, schedule, advance } = createManualTime();
  await (await openDataDir({ path: root, clock, schedule })).close();
  const endedAt = clock.now();
  const behind = { now: () => ms(clock.now() - 86_400_000) };
  const alive = () => Number(readFileSync(join(root, 'alive'), 'utf8'));
  const dir = await openDataDir({ path: root, clock: behind, schedule });
  advance(5_000);
  expect(alive()).toBe(endedAt);
  dir.settled();
  advance(1_000);
  expect(alive()).toBe(behind.now());
  await dir.close();
});

test.each(['', 'nonsense', '-1'])('a heartbeat that says %j is none', async (content) => {
  const { clock, schedule } = createManualTime();
  writeFileSync(join(root, 'alive'), content);
  writeFileSync(join(root, 'format'), '1\n');
  const dir = await openDataDir({ path: root, clock, schedule });
  expect(dir.lastAliveAt).toBeUndefined();
  await dir.close();
});

test.each([
  ['of a later format', '2\n', 'holds data of format 2, and this version of Headcount uses format 1'],
  ['used before folders had a format', undefined, 'holds data of format none, and this version'],
])('a folder %s is refused with what to do, and stays as it is', async (_what, format, sentence) => {
  const { clock, schedule } = createManualTime();
  writeFileSync(join(root, 'alive'), '1790000000000');
  if (format !== undefined) writeFileSync(join(root, 'format'), format);
  const before = readdirSync(root).sort();
  for (let tries = 0; tries < 2; tries++)
    await expect(openDataDir({ path: root, clock, schedule })).rejects.toMatchObject({
      code: 'data_dir.other_format',
      message: expect.stringMatching(new RegExp(`${sentence}.*set DATA_DIR to another folder`)),
    });
  expect(readFileSync(join(root, 'alive'), 'utf8')).toBe('1790000000000');
  expect(readdirSync(root).filter((name) => !name.startsWith('lock'))).toEqual(
    before.filter((name) => !name.startsWith('lock')),
  );
});

test('a folder says its format from its first use on', async () => {
  const { clock, schedule } = createManualTime();
  await (await openDataDir({ path: root, clock, schedule })).close();
  expect(readFileSync(join(root, 'format'), 'utf8')).toBe('1\n');
  await (await openDataDir({ path: root, clock, schedule })).close();
});

test('a folder that cannot be made or written to is said to be that', async () => {
  const { clock, schedule } = createManualTime();
  const file = join(root, 'file');
  writeFileSync(file, '');
  const path = join(file, 'data');
  await expect(openDataDir({ path, clock, schedule })).rejects.toMatchObject({
    code: 'data_dir.not_writable',
    message: expect.stringContaining(`cannot write to the data directory ${path}`),
  });
});

test(':memory: leaves nothing on the disk', async () => {
  const { clock, schedule, pending } = createManualTime();
  vi.spyOn(process, 'cwd').mockReturnValue(root);
  const dirs = await Promise.all([1, 2].map(() => openDataDir({ path: ':memory:', clock, schedule })));
  expect(dirs.map((dir) => dir.path)).toEqual([undefined, undefined]);
  expect(pending()).toBe(0);
  expect(readdirSync(root)).toEqual([]);
  vi.restoreAllMocks();
});
