/** The namespace that this product's own metrics lie under in CloudWatch, and the beginning of their names locally. */
export const metricsNamespace = 'Headcount';

/** Each metric with its unit. */
export const metricUnits = {
  Admitted: 'Count',
  RejectedQuota: 'Count',
  RejectedCredentials: 'Count',
  RejectedUnavailable: 'Count',
  RejectedOther: 'Count',
  Departed: 'Count',
  ConnectLatency: 'Milliseconds',
  LeaseChecks: 'Count',
  Freed: 'Count',
  Drift: 'Count',
  Ghosts: 'Count',
  SweepLag: 'Milliseconds',
  SweepFailed: 'Count',
  Retries: 'Count',
  Conflicts: 'Count',
  Connections: 'Count',
  Unadmitted: 'Count',
  Shed: 'Count',
} as const;
