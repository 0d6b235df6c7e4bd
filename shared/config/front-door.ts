// What the process of the front door and the stack that runs it must agree on.

/** Where it takes devices. */
export const frontDoorMqttsPort = 8883;

/** Where it tells the load balancer how it is. */
export const frontDoorHealthPort = 8080;

/** ECS kills a task at most 120 s after it told it to stop. */
export const frontDoorStopSeconds = 120;

/** Spent on ending connections one by one; the rest is for their last reports. */
export const frontDoorDrainMs = 105_000;

/** For asking ECS, retries included, how many tasks there are before a release: 8 times two calls of 5 s, 5 s apart. */
export const rolloutWorkSeconds = 120;
