// Secrets Manager, as far as a function asks it: one text for every secret.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Secrets {
  readonly endpoint: string;
  /** What every secret holds from now on. */
  text: string;
  /** How often one was read. */
  reads: number;
  stop(): void;
}

export async function startSecrets(text: string): Promise<Secrets> {
  const server = createServer((incoming, outgoing) => {
    incoming.resume().on('end', () => {
      secrets.reads++;
      outgoing.end(JSON.stringify({ SecretString: secrets.text }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const secrets: Secrets = {
    endpoint: `http://127.0.0.1:${port}`,
    text,
    reads: 0,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
  return secrets;
}
