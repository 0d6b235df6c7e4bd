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
  /** Makes MQTT users with a limit far away, all of them with one call where it has one. Absent: it has none to make. */
  readonly addUsers?: (logins: readonly Login[]) => Promise<void>;
  /** Resolves when it has done what is left of clients that have gone. Absent: it does nothing later. */
  readonly calm?: () => Promise<void>;
  /** Resolves when all that was started is gone. */
  stop(): Promise<void>;
}

/** A limit that is on and that no measurement comes near. */
export const farAway = 100_000;

export type Found =
  | { readonly kind: 'installed'; start(): Promise<Peer> }
  | { readonly kind: 'missing'; readonly install: string };
