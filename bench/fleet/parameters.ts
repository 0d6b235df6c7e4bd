// What the model believes of DynamoDB, in one place: nobody reads a result without what it rests on. What AWS documents is
// marked; all else is assumed. docs/adr/figures/0001-contention.md prints the same figures.

export interface Parameters {
  /** Write units a partition grants each second (AWS). */
  readonly partitionWriteUnits: number;
  /** Read units a partition grants each second (AWS). */
  readonly partitionReadUnits: number;
  /**
   * How many seconds of its rate a partition that was idle can grant at once. Pessimistic: AWS keeps up to 300 s of unused
   * capacity, best effort, and promises none.
   */
  readonly burstSeconds: number;
  /** Median of the way from client to storage node, and of the way back, in milliseconds. */
  readonly wayMs: number;
  /** Spread of that way: the sigma of its logarithm. */
  readonly waySigma: number;
  /** Plain writes of one item queue, each taking this long: up to 1,000 a second. */
  readonly itemWriteMs: number;
  /**
   * Median time that a transaction holds its items, from prepare to commit. Calibrated: transactions that meet on one item
   * commit about 100 times a second (test/bench/fleet-database.test.ts).
   */
  readonly holdMs: number;
  readonly holdSigma: number;
  /** From an admission's answer to the write that confirms it: broker event, queue, presence handler. */
  readonly confirmAfterMs: number;
}

export const defaults: Parameters = {
  partitionWriteUnits: 1_000,
  partitionReadUnits: 3_000,
  burstSeconds: 0.1,
  wayMs: 2.5,
  waySigma: 0.3,
  itemWriteMs: 1,
  holdMs: 8,
  holdSigma: 0.3,
  confirmAfterMs: 1_000,
};
