/** What is measured, each with its unit. The dashboard and the alarms speak of these names. */
export interface Measures {
  /** CONNECTs that were let in. */
  readonly Admitted: number;
  /** Turned away because the username's quota is used up. */
  readonly RejectedQuota: number;
  /** Turned away for bad credentials, and everything that answers the same. */
  readonly RejectedCredentials: number;
  /** Turned away because it could not be decided in time. */
  readonly RejectedUnavailable: number;
  /** Turned away for another reason: suspended, blocked, a client id that cannot be. */
  readonly RejectedOther: number;
  /** Clients that left before their CONNECT was decided. */
  readonly Departed: number;
  /** From a CONNECT's arrival to its decision, in milliseconds; one, or up to 100 of them. */
  readonly ConnectLatency: number | readonly number[];
  /** Admissions whose lease ran out unconfirmed, and were checked. */
  readonly LeaseChecks: number;
  /** Expired sessions freed by the sweeper. */
  readonly Freed: number;
  /** Counts without a session that were repaired; 0 unless something is wrong. */
  readonly Drift: number;
  /** Sessions that counted and were not at the broker, found by the reconciler. */
  readonly Ghosts: number;
  /** How far behind the sweeper is, in milliseconds. */
  readonly SweepLag: number;
  /** What the sweeper could not settle and left for the next run. */
  readonly SweepFailed: number;
  /** Tries of calls to the database beyond the first. */
  readonly Retries: number;
  /** Transactions of the database that were cancelled because they met another on an item. */
  readonly Conflicts: number;
  /** Sockets of admitted clients at one front door. */
  readonly Connections: number;
  /** Sockets of clients at one front door that are not admitted. */
  readonly Unadmitted: number;
  /** Of those, closed because their source address had used up its share. */
  readonly Shed: number;
}

/** Takes note of measurements. Never waits, never throws. Nothing measured names a tenant, a username or a client. */
export type Measure = (values: Partial<Measures>) => void;
