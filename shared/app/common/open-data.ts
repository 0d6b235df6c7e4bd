// Whether this code may use a table (its format, its keys), asked once by every process before it does anything else.
// Data that it cannot use are refused with one sentence, here and in the log.

import { dataFormat } from '../../config/constants.ts';
import type { Connect } from '../../domain/connect.ts';
import type { Ms } from '../../domain/time.ts';
import type { Clock } from '../../ports/common/clock.ts';
import type { DataFormat, DataFormatStore } from '../../ports/common/data-format.ts';
import { DataRefused } from '../../ports/common/errors.ts';
import type { Log } from '../../ports/common/log.ts';
import type { Keyring, PasswordKey, PasswordKeys } from '../../ports/credentials/credentials.ts';

export interface FormatPorts {
  readonly format: DataFormatStore;
  readonly clock: Clock;
  readonly log: Log;
}

export interface OpenPorts extends FormatPorts {
  /** `isNew`: no process has opened the table yet. May throw DataRefused. */
  readonly readKeyring: (isNew: boolean) => Promise<Keyring>;
}

export interface OpenData {
  /** Cheap once it has resolved. Throws DataRefused, and what kept it from asking. */
  open(): Promise<void>;
}

/** One look at table and keys a second at most, whatever arrives meanwhile. */
const tryAgainMs = 1_000;

export function createPasswordKeys(ports: OpenPorts): PasswordKeys & OpenData {
  const opening = createOpening(ports, async () => {
    const found = await ports.format.readFormat();
    if (found !== undefined) refuseOther(ports.format, found.version);
    const keyring = await ports.readKeyring(found === undefined);
    if (found !== undefined) refuseWithout(ports.format, found, keyring);
    if (found?.keyIds.includes(keyring.current.id)) return keyring;
    // Named before its first digest is stored: a process without the key finds out at its start.
    const added = await ports.format.addKey(dataFormat, keyring.current.id);
    if (added === 'refused') throw new DataRefused(`${tableOf(ports.format)} is being opened by another version`);
    refuseWithout(ports.format, added, keyring);
    return keyring;
  });
  return {
    open: async () => void (await opening.get()),
    current: async () => (await opening.get()).current,
    async key(id) {
      // A key that came after this process has read them: a rotation.
      const known = (await opening.get()).keys.get(id) ?? (await opening.renew()).keys.get(id);
      if (known === undefined)
        throw new DataRefused(`an MQTT password in ${tableOf(ports.format)} is stored under the absent key ${id}`);
      return known;
    },
  };
}

/** For processes that see no passwords: the version alone. A table that no process has opened holds nothing of another. */
export function createFormatCheck(ports: FormatPorts): OpenData {
  const opening = createOpening(ports, async () => {
    const found = await ports.format.readFormat();
    if (found !== undefined) refuseOther(ports.format, found.version);
    return 'open' as const;
  });
  return { open: async () => void (await opening.get()) };
}

/** Until the data can be used, each CONNECT is unavailable. */
export function afterOpening({ open }: OpenData, connect: Connect): Connect {
  return async (request) => {
    try {
      await open();
    } catch (error) {
      return {
        kind: 'rejected',
        reason: 'unavailable',
        detail: error instanceof Error ? error.message : String(error),
      };
    }
    return connect(request);
  };
}

/** A keyring that is there already. */
export function keysOf({ current, keys, source }: Keyring): PasswordKeys {
  return {
    current: async (): Promise<PasswordKey> => current,
    async key(id) {
      const known = keys.get(id);
      if (known === undefined) throw new DataRefused(`${source} does not hold the password key ${id}`);
      return known;
    },
  };
}

const tableOf = ({ tableName }: DataFormatStore): string => `the table ${tableName}`;

function refuseOther(store: DataFormatStore, version: number): void {
  if (version === dataFormat) return;
  throw new DataRefused(
    `${tableOf(store)} holds data of format ${version}, and this version of Headcount uses format ${dataFormat}: run the ` +
      'version that wrote them, or begin with a new table (locally: another DATA_DIR)',
  );
}

function refuseWithout(store: DataFormatStore, { keyIds }: DataFormat, { keys, source }: Keyring): void {
  const absent = keyIds.filter((id) => !keys.has(id));
  if (absent.length === 0) return;
  throw new DataRefused(
    `MQTT passwords in ${tableOf(store)} are stored under the key ${absent.join(', ')}, and ${source} holds only ` +
      `${[...keys.keys()].join(', ')}: put the key back there from a backup (docs/operate.md, "Keys of MQTT passwords")`,
  );
}

function createOpening<T>({ clock, log }: FormatPorts, attempt: () => Promise<T>) {
  let opened: Promise<T> | undefined;
  let renewing: Promise<T> | undefined;
  let triedAt: Ms | undefined;
  let failed = false;
  const isOld = (): boolean => triedAt === undefined || Math.abs(clock.now() - triedAt) >= tryAgainMs;

  function start(onError: (error: unknown) => void): Promise<T> {
    triedAt = clock.now();
    const started = attempt();
    started.catch((error: unknown) => {
      log.error('the data cannot be used', { problem: error instanceof Error ? error.message : String(error) });
      onError(error);
    });
    return started;
  }

  return {
    get(): Promise<T> {
      if (opened !== undefined && !(failed && isOld())) return opened;
      failed = false;
      opened = start(() => {
        failed = true;
      });
      return opened;
    },
    /** Asks again, while what was opened before goes on; it ends only where the answer is that the data are refused. */
    renew(): Promise<T> {
      if (!isOld()) return renewing ?? this.get();
      const started = start((error) => {
        if (!(error instanceof DataRefused)) return;
        opened = started;
        failed = true;
      });
      renewing = started;
      const end = (): void => {
        renewing = undefined;
      };
      started.then((value) => {
        opened = Promise.resolve(value);
        failed = false;
        end();
      }, end);
      return started;
    },
  };
}
