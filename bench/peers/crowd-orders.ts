// What the coordinator of a burst asks the processes that hold its clients, and what each of them answers.

import type { Answer, Login } from './light-client.ts';

export interface Orders {
  /** Opens a socket for each client id; nobody says anything yet. Answers how many could not be opened. */
  readonly open: {
    readonly ask: { readonly port: number; readonly login: Login; readonly clientIds: readonly string[] };
    readonly answer: { readonly failed: number };
  };
  /** Every CONNECT leaves at `at` (milliseconds since 1970): all processes' at the same moment. */
  readonly connect: {
    readonly ask: { readonly at: number };
    readonly answer: {
      readonly answers: readonly Answer[];
      /** When the first CONNECT left and the last answer came, in milliseconds since 1970. */
      readonly firstAt: number;
      readonly lastAt: number;
    };
  };
  /** Who of those admitted answers a PINGREQ. */
  readonly ping: { readonly ask: object; readonly answer: readonly string[] };
  /** The same client id once more, on another socket. */
  readonly again: {
    readonly ask: { readonly clientId: string; readonly port: number; readonly login: Login };
    readonly answer: Answer;
  };
  readonly leave: { readonly ask: object; readonly answer: 'left' };
}

export type Order = { [Name in keyof Orders]: { readonly do: Name } & Orders[Name]['ask'] }[keyof Orders];

/** The latest time for one step; on a slow machine a burst takes its time, and a broken peer must not hold everything. */
export const answerWithinMs = 30_000;
export const pingWithinMs = 15_000;
export const leaveWithinMs = 5_000;
