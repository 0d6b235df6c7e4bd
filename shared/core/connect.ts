// The core of a process that answers CONNECTs: credentials, settings and admission over the table, and the record of
// refusals. The caller adds the deadline and the metrics, which differ between the front door and the authorizer.

import { createCredentialStore } from '../adapters/dynamodb/credentials/credential-store.ts';
import { createRejectionStore } from '../adapters/dynamodb/rejections/rejection-store.ts';
import { withinShare } from '../adapters/node/ending-share.ts';
import { createPasswordCrypto } from '../adapters/node/password-crypto.ts';
import { createTokenCheck } from '../adapters/node/token-check.ts';
import { type ConnectPorts, createConnect } from '../app/admission/connect.ts';
import { createPasswords } from '../app/credentials/passwords.ts';
import { tokenAlgorithms } from '../app/credentials/public-keys.ts';
import { createRejectionRecorder, type FlushingRecorder } from '../app/rejections/rejection-recorder.ts';
import { createCredentialCache } from '../app/settings/settings-cache.ts';
import type { Connect } from '../domain/connect.ts';
import type { Log } from '../ports/common/log.ts';
import type { PasswordKeys } from '../ports/credentials/credentials.ts';
import { type CoreAdapters, createCore, createCoreSettings } from './core.ts';

export type ConnectAdapters = CoreAdapters &
  Pick<ConnectPorts, 'broker' | 'budgetMs' | 'queue' | 'log'> &
  // A process that uses settings or passwords elsewhere as well passes the ones that it has.
  Partial<Pick<ConnectPorts, 'settings'>> &
  (Pick<ConnectPorts, 'passwords'> | { readonly keys: PasswordKeys });

export function createCoreConnect(adapters: ConnectAdapters): Connect {
  const { client, tableName, clock } = adapters;
  return createConnect({
    settings: createCoreSettings(adapters),
    passwords:
      'keys' in adapters
        ? createPasswords({ crypto: createPasswordCrypto(), keys: adapters.keys, clock })
        : adapters.passwords,
    credentials: createCredentialCache(createCredentialStore(client, tableName), clock),
    tokens: createTokenCheck(tokenAlgorithms),
    ...createCore(adapters),
    broker: withinShare(adapters.broker, clock),
  });
}

export function createCoreRejections(adapters: CoreAdapters & { readonly log: Log }): FlushingRecorder {
  return createRejectionRecorder({ ...adapters, store: createRejectionStore(adapters.client, adapters.tableName) });
}
