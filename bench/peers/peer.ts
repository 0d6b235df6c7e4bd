// What is measured: something that MQTT clients connect to on this machine, Headcount or what its users would otherwise
// run. The harness knows no more of it than this.

import type { Login } from '../clients/light-client.ts';

export interface Peer {
  /** With its version where it has one. */
  readonly name: string;
  readonly port: number;
  readonly login: Login;
  /** How many sessions or connections the username may hold from now on. Absent: it knows no such limit. */
  readonly setLimit?: (limit: number) => Promise<void>;
  /** How many it counts for the username now. Absent: it does not count. */
  readonly used?: () => Promise<number>;
  /** Resolves when all that was started is gone. */
  stop(): Promise<void>;
}

export type Found =
  | { readonly kind: 'installed'; start(): Promise<Peer> }
  | { readonly kind: 'missing'; readonly install: string };
