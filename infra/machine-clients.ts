// The choice `machineClients`: an object in the operator's file, or a text, which `-c` can give as well.

import { tenantScopes } from '../shared/config/scopes.ts';
import type { Choices } from './choices.ts';

/** An OAuth client without a person behind it. Its tenant is an item of the table, which the operator writes. */
export interface MachineClient {
  readonly name: string;
  readonly scopes: readonly string[];
}

interface MachineClients {
  readonly clients: readonly MachineClient[];
  /** Names whose scopes are `null`. */
  readonly dropped: readonly string[];
}

/** API Gateway takes tokens of 50 clients, of which the operator's is one. [AWS: HTTP API quotas, not adjustable] */
const maxMachineClients = 49;

/** Under which name a machine client is recorded. */
export const recordedMachine = (name: string): string => `machineClients.${name}`;

const notation = '{"<name>": ["<scope>", ...]}, or text: name:scope+scope, comma separated';
const namePattern = /^[a-z][a-z0-9-]{0,62}$/;

/** `{"acme-ci": ["settings:read", "settings:write"]}`, or `acme-ci:settings:read+settings:write`. */
export function readMachineClients(choices: Choices): MachineClients {
  const value = choices.given('machineClients') ?? {};
  const entries = typeof value === 'string' ? readText(choices, value) : readObject(choices, value);
  const names = entries.map(([name]) => name);
  for (const name of names) {
    if (!namePattern.test(name))
      choices.refuse('machineClients', 'names of at most 63 of a-z, 0-9 and "-" that begin with a letter', name);
    // The stack makes this one itself.
    if (name === 'operator') choices.refuse('machineClients', "other names than the installation's own operator", name);
  }
  if (new Set(names).size < names.length) choices.refuse('machineClients', 'different names');
  if (names.length > maxMachineClients)
    choices.refuse('machineClients', `at most ${maxMachineClients} names`, `${names.length} names`);
  return {
    clients: entries.flatMap(([name, scopes]) =>
      scopes === null ? [] : [{ name, scopes: readScopes(choices, name, scopes) }],
    ),
    dropped: entries.filter(([, scopes]) => scopes === null).map(([name]) => name),
  };
}

type Entry = readonly [name: string, scopes: unknown];

function readText(choices: Choices, text: string): readonly Entry[] {
  if (text === '') return [];
  return text.split(',').map((entry): Entry => {
    const [, name, scopes] = /^([^:]+):(.+)$/.exec(entry.trim()) ?? [];
    if (name === undefined || scopes === undefined) return choices.refuse('machineClients', notation, entry);
    return [name, scopes.split('+')];
  });
}

function readObject(choices: Choices, value: unknown): readonly Entry[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return choices.refuse('machineClients', notation);
  return Object.entries(value);
}

function readScopes(choices: Choices, name: string, scopes: unknown): readonly string[] {
  const known: readonly unknown[] = tenantScopes;
  const allowed = `for ${name} a list of one or more of ${tenantScopes.join(', ')}, or null`;
  if (!Array.isArray(scopes) || scopes.length === 0) return choices.refuse('machineClients', allowed, scopes);
  for (const scope of scopes) if (!known.includes(scope)) choices.refuse('machineClients', allowed, scope);
  return scopes;
}
