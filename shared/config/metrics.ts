/** The namespace that this product's own metrics lie under in CloudWatch. */
export const metricsNamespace = 'Headcount';
