// The folder that the local run keeps its state in. One running instance at a time owns it, and it remembers when
// that instance was last alive: after a SIGKILL that is when its connections ended. It says which format its data have.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { dataFormat } from '../shared/config/constants.ts';
import { type Ms, ms } from '../shared/domain/time.ts';
import type { Clock } from '../shared/ports/common/clock.ts';
import { takeLock } from './lock.ts';
import { makePrivate, privateFolderMode, writePrivateFile } from './private-file.ts';
import { realSchedule, type Schedule } from './schedule.ts';

export interface DataDirOptions {
  /** A folder, made if it is not there; or `:memory:`: nothing is kept and nothing is locked. */
  readonly path: string;
  readonly clock: Clock;
  readonly schedule?: Schedule;
}

export interface DataDir {
  /** Absolute; undefined for `:memory:`. */
  readonly path: string | undefined;
  /** When the last instance that used the folder was last alive, true to a second; undefined for the first one. */
  readonly lastAliveAt: Ms | undefined;
  /** From here on nothing hangs on the last run's time. */
  settled(): void;
  /** Sentences for whoever started the process: what is wrong and does not keep it from running. */
  readonly warnings: readonly string[];
  /** Notes the end and lets the next instance in. */
  close(): Promise<void>;
}

/** The message is meant for whoever started the process. */
class DataDirUnusable extends Error {
  override readonly name = 'DataDirUnusable';
  readonly code: 'data_dir.not_writable' | 'data_dir.locked' | 'data_dir.other_format';

  constructor(code: DataDirUnusable['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

const heartbeatMs = 1_000;
/** A clock that was set right by less than this is not told of. */
const clockSlackMs = 300_000;

/**
 * One level after the other: Node's own recursive mkdir never returns where a file system refuses new folders without
 * saying why, as /proc does. Private: the certificate's key and the MQTT users' password hashes lie in it.
 */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path, { mode: privateFolderMode });
}

function prepare(path: string): void {
  try {
    makeFolder(path);
    const probe = join(path, `probe-${process.pid}`);
    writeFileSync(probe, '');
    rmSync(probe);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new DataDirUnusable('data_dir.not_writable', `cannot write to the data directory ${path}: ${why}`, error);
  }
}

function readAlive(file: string): Ms | undefined {
  try {
    const value = Number(readFileSync(file, 'utf8').trim());
    return Number.isSafeInteger(value) && value > 0 ? ms(value) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A clock that is behind the last run is told of, and not refused: sessions that wait for their expiry count longer, which
 * lets too few in, and a refusal would let none in. The last run's clock may as well have been ahead.
 */
function describeClock(lastAliveAt: Ms | undefined, now: Ms): readonly string[] {
  if (lastAliveAt === undefined || lastAliveAt - now <= clockSlackMs) return [];
  const [here, there] = [now, lastAliveAt].map((at) => new Date(at).toISOString());
  const minutes = Math.round((lastAliveAt - now) / 60_000);
  return [
    `the clock says ${here}, and the last run on this data directory ended at ${there}: sessions of that run count up to ${minutes} minutes longer; if the clock is wrong, stop, set it and start again`,
  ];
}

function readText(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
}

/** A folder without a number is new, or was used before folders had one. Throws where its data are of another format. */
function holdToFormat(folder: string, isNew: boolean): void {
  const file = join(folder, 'format');
  const found = readText(file) ?? (isNew ? undefined : 'none');
  if (found === String(dataFormat)) return;
  if (found !== undefined) {
    const message = `the data directory ${folder} holds data of format ${found}, and this version of Headcount uses format ${dataFormat}: run the version that wrote them, or set DATA_DIR to another folder`;
    throw new DataDirUnusable('data_dir.other_format', message);
  }
  writePrivateFile(file, `${dataFormat}\n`);
}

export async function openDataDir({ path, clock, schedule = realSchedule }: DataDirOptions): Promise<DataDir> {
  if (path === ':memory:')
    return {
      path: undefined,
      lastAliveAt: undefined,
      warnings: [],
      settled: () => undefined,
      close: async () => undefined,
    };
  const folder = resolve(path);
  prepare(folder);
  const lock = await takeLock(folder);
  if (lock.kind === 'held') {
    const message = `the data directory ${folder} is in use by another running instance (${lock.by}); stop it, or set DATA_DIR to another folder`;
    throw new DataDirUnusable('data_dir.locked', message);
  }

  const file = join(folder, 'alive');
  const lastAliveAt = readAlive(file);
  let warnings: readonly string[];
  try {
    holdToFormat(folder, !existsSync(file));
    warnings = [...describeClock(lastAliveAt, clock.now()), ...makePrivate(folder)];
  } catch (error) {
    await lock.release();
    throw error;
  }
  // Never before the last run's time while that one is not settled: under a clock that is behind, its sessions would
  // seem to have ended before they did.
  let floor = lastAliveAt ?? ms(0);
  const beat = (): void => writePrivateFile(file, String(Math.max(floor, clock.now())));
  let cancel = (): void => undefined;
  const arm = (): void => {
    cancel = schedule(() => {
      try {
        beat();
      } catch {
        // A full disk, or a folder taken away: the next beat may do better, and no reason to end for.
      }
      arm();
    }, heartbeatMs);
  };
  // From here on the last run's time is known to this one alone. Should this one end before it has settled what that
  // one left, sessions seem to have ended later than they did, and count longer: the safe side.
  beat();
  arm();

  return {
    path: folder,
    lastAliveAt,
    warnings,
    settled() {
      floor = ms(0);
    },
    async close() {
      cancel();
      beat();
      await lock.release();
    },
  };
}
