// The keys that MQTT passwords are stored under: a file of the data folder, made with its first table.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateKeyring, parseKeyring } from '../shared/adapters/node/keyring.ts';
import { DataRefused } from '../shared/ports/common/errors.ts';
import type { Keyring } from '../shared/ports/credentials/credentials.ts';
import { writePrivateFile } from './private-file.ts';

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** `folder`: undefined for keys that end with the process. Throws DataRefused where an older table has lost its file. */
export function localKeyring(folder: string | undefined): (isNew: boolean) => Promise<Keyring> {
  if (folder === undefined) {
    const made = parseKeyring(generateKeyring(), 'this process, with DATA_DIR=:memory:,');
    return async () => made;
  }
  const file = join(folder, 'password-keys.json');
  return async (isNew) => {
    let text = readText(file);
    if (text === undefined) {
      if (!isNew)
        throw new DataRefused(
          `the file ${file} with the keys of MQTT passwords is absent, and the data were made with it: put it back from ` +
            'a backup, or set DATA_DIR to another folder to begin anew',
        );
      text = generateKeyring();
      writePrivateFile(file, text);
    }
    return parseKeyring(text, `the file ${file}`);
  };
}
