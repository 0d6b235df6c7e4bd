// How much of Lambda's concurrency an installation keeps to itself.

/**
 * What IoT Core's quota of CONNECTs takes at 150 ms each. With what is kept for the other functions (103) and the 100 that
 * Lambda wants left unreserved it fits into the 1,000 that an account has as a rule.
 */
export const authorizerConcurrencyDefault = 500;
