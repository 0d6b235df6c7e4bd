// What the model believes of DynamoDB and of the clients, in one place. The figures of ADR 1 print this list, so that
// nobody reads a result without what it rests on.

export interface Parameters {
  /** Write units a partition grants each second. */
  readonly partitionWriteUnits: number;
  /** Read units a partition grants each second. */
  readonly partitionReadUnits: number;
  /** How many seconds of its rate a partition that was idle can grant at once. */
  readonly burstSeconds: number;
  /** Median of the way from client to storage node, and of the way back, in milliseconds. */
  readonly wayMs: number;
  /** Spread of that way: the sigma of its logarithm. */
  readonly waySigma: number;
  /** Writes of one item come one after another, each taking this long. */
  readonly itemWriteMs: number;
  /** Median time that a transaction holds its items, from prepare to commit. */
  readonly holdMs: number;
  readonly holdSigma: number;
  /** One CONNECT gives up after this long. */
  readonly budgetMs: number;
  /** Full jitter: the n-th pause is uniform between 0 and min(cap, base × 2^n). */
  readonly backoffBaseMs: number;
  readonly backoffCapMs: number;
  /** From an admission's answer to the write that confirms it. */
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
  budgetMs: 3_000,
  backoffBaseMs: 25,
  backoffCapMs: 800,
  confirmAfterMs: 1_000,
};

const aws = 'AWS documentation';
const assumed = 'assumption';

export const sources: Readonly<Record<keyof Parameters, string>> = {
  partitionWriteUnits: `${aws}: partition limit`,
  partitionReadUnits: `${aws}: partition limit`,
  burstSeconds: `${assumed}, pessimistic: AWS keeps up to 300 s of unused capacity, best effort, and promises none`,
  wayMs: `${assumed}: 4 to 6 ms a request, network and client included`,
  waySigma: assumed,
  itemWriteMs: `${assumed}: plain updates of one item queue, up to 1,000/s`,
  holdMs: `${assumed}, calibrated: transactions that meet on one item commit about 100 times a second`,
  holdSigma: assumed,
  budgetMs: 'architecture.md: at most 3 s of the 5 s that IoT Core gives',
  backoffBaseMs: `${assumed}: retry policy of the product`,
  backoffCapMs: `${assumed}: retry policy of the product`,
  confirmAfterMs: `${assumed}: broker event, queue, presence handler`,
};
