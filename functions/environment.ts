// What a handler is configured by. A variable that is missing ends the cold start with a clear word, not the first
// CONNECT with a strange one.

import type { EnvironmentVariable } from '../shared/config/env.ts';

export function readVariable(name: EnvironmentVariable): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`the environment variable ${name} is not set`);
  return value;
}

/** What not every installation has. */
export function readOptionalVariable(name: EnvironmentVariable): string | undefined {
  const value = process.env[name];
  return value === '' ? undefined : value;
}
