// Figures that more than one place must agree on. Each is a promise of the product or a limit of AWS.

/**
 * What the items of the table and the files of a data folder look like. A change that older code would misread, or that
 * misreads older data, takes the next number; data of another one are refused.
 */
export const dataFormat = 1;

/** How long an admission may stay unconfirmed before it is checked (S12). */
export const leaseSeconds = 30;

/** IoT Core cuts a connection this long after CONNECT: its upper bound (S13). */
export const maxConnectionSeconds = 86_400;

/** The most that the authorizer spends on one CONNECT, of the 5 s that IoT Core gives it. */
export const connectBudgetMs = 3_000;

/** CONNECTs of one username that a process decides at a time: more would only lose races against each other. */
export const admissionsAtOnce = 32;

/** CONNECTs of one username that wait behind them: a fleet of that size on one username comes back at once. */
export const admissionsWaitingMax = 8_192;

/** CONNECTs of one client id that wait for their turn: a device that is impatient sends a few. */
export const connectsOfClientIdWaitingMax = 64;

/**
 * Readings that a process makes at a time for clients whose password is not verified: an eighth of its connections to the
 * database, so that a flood of guesses leaves the rest, and the event loop, to clients that are let in.
 */
export const readingsAtOnce = 32;

/** Clients that wait for such a reading; the newest of the largest share goes beyond that. */
export const readingsWaitingMax = 4_096;

export const maxSessionsPerUsernameDefault = 100;
export const maxSessionsPerUsernameMax = 1_000_000;
export const sessionExpirySecondsDefault = 3_600;
export const sessionExpirySecondsMax = 604_800;
export const usernamesPerListMax = 10_000;
export const deploymentNameMaxLength = 256;

/**
 * Deployments that a tenant may own. They are counted before one is made, so it may own more by as many as are made at
 * the same moment.
 */
export const deploymentsPerTenantMax = 1_000;

/** MQTT users that a deployment may have: exact, because a counter changes in the step that adds or removes one. */
export const credentialsPerDeploymentMax = 100_000;

/**
 * Operations of one tenant that may run at once. They are counted in an index that lags by up to about a second, so more
 * may run by as many as are started within that time.
 */
export const runningOperationsMax = 1_000;

/** What of it finding the deployment of a TLS server name may take, before anything else is asked. */
export const hostLookupBudgetMs = 500;

/**
 * The same where nobody but the client waits: a front door. A small machine that gets a burst of hundreds at once
 * answers the last of them late rather than turning them away.
 */
export const doorBudgetMs = 8_000;

/**
 * The longest that a client of a front door waits for its answer: the same, and before that its turn among others of its
 * username. Devices wait for CONNACK some 30 s.
 */
export const doorAnswerMs = 2 * doorBudgetMs;

/** A settings change holds for every admission at most 5 s later (S1); caches live a little shorter than that. */
export const settingsCacheMs = 4_000;

/** Settings and credentials that hold while the database does not answer are at most so old (S17). */
export const outageMemorySeconds = 900;

/**
 * Who holds a client id is remembered this long: longer than the longest session by so much that a device which comes
 * back every day renews it every other week only.
 */
export const ownerSeconds = 22 * 86_400;

/** TTL lies this long after the time that counts, so that the sweeper always comes first. */
export const ttlGraceSeconds = 86_400;

export const ticketSeconds = 10;

/** Partitions of the `wake` index; every admission writes to one of them. */
export const wakePartitions = 16;

/** IoT Core takes so many GetConnection calls a second of an account, whoever sends them; DeleteConnection as many. */
export const getConnectionPerSecond = 100;

/**
 * GetConnection calls a second of each kind of process, all of its processes together. They sum up to less than the
 * account takes, so that none can starve another: confirms and events first, then leases, then reconciling.
 */
export const brokerShares = { presence: 50, sweeper: 30, reconciler: 10 } as const;

/** Presence functions that may run side by side: each of them keeps to this part of their share. */
export const presenceProcessesMax = 20;

/** The reconciler begins a pass over the table at most so often; between two passes it costs one read a minute. */
export const reconcilePassSeconds = 900;

/** A session that has not been heard of for so long is worth a question to the broker. */
export const reconcileQuietSeconds = 600;

/** Partitions that a deployment's usernames are spread over. */
export const usernamePartitions = 16;

/** Rejections per hour are kept this long; per username they are kept as long as the deployment. */
export const rejectionHoursKeptSeconds = 30 * 86_400;

/** Partitions of a deployment's `rank` index: 100,000 usernames that all change each minute write 420 units/s to each. */
export const rankPartitions = 8;

/**
 * A username's rank is refreshed this long after a change of its count, so at most about once a minute, and never more
 * than 60 s late (S16): the rest is for the queue.
 */
export const rankDelaySeconds = 50;
/** A request that is sent again under its Idempotency-Key makes nothing again for so long. */
export const idempotencySeconds = 86_400;

/** Operations can be read this long. */
export const operationSeconds = 7 * 86_400;

/**
 * How long after a change a CONNECT may still be admitted by what held before it: a cache may be 5 s old (S1), and an
 * admission takes at most doorBudgetMs from the moment it was asked for.
 */
export const changeHoldsSeconds = 15;

/**
 * DeleteConnection calls a second that one worker of operations makes, and how many workers there are at most: of the
 * account's 100 a second the rest is left to whoever kicks one client.
 */
export const kicksPerSecond = 40;
export const operationWorkers = 2;

/** Partitions that a username's sessions are spread over, by client id: a fleet that shares one username reconnects. */
export const sessionPartitions = 8;

/** A username with so many sessions gets a wide roster, whose writes stay small and go side by side. */
export const wideAt = 128;

/** Lanes of a wide roster, besides the roster item itself; at most 255. */
export const rosterLanes = 16;

/** The most places that a lane is given in reserve at once. */
export const laneReserveMax = 256;

/**
 * A wide roster is looked at this often while it has sessions: so an admission whose session is due later need not
 * touch it.
 */
export const wideSleepSeconds = 300;

/** Client ids of one deployment that may change their username in a second, at each process that answers CONNECTs. */
export const takeoversPerSecond = 10;
/** The same after a time of rest, at once. */
export const takeoverBurst = 20;
