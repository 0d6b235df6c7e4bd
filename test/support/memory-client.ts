// A database for one test, in memory: where the same requests mean the same as on a real engine (test/unit/memory-engine.test.ts),
// the same ones are refused (test/contract/requests.test.ts), and none takes a socket.

import type { DocumentClient } from '../../shared/adapters/dynamodb/common/commands.ts';
import { MemoryEngine } from './memory-engine/memory-engine.ts';

/** Only its `send` is there. */
export function createMemoryClient(): DocumentClient {
  return new MemoryEngine() as unknown as DocumentClient;
}
