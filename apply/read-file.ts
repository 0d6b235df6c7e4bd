// Limits as a file: what it may say, and, where it says something else, in which line. Nothing is guessed: a word that is
// misspelt must not be a limit that is missing. What the API would refuse is refused here, by the API's own rules.

import {
  parseOverride,
  parseSessionLimitChange,
  type SessionLimitInput,
} from '../shared/app/settings/session-limit-input.ts';
import { parseDeploymentChange } from '../shared/app/tenancy/deployment-input.ts';
import { usernamesPerListMax } from '../shared/config/constants.ts';
import { parseDeploymentId, parseUsername } from '../shared/domain/ids.ts';
import { deploymentSettings, limitSettings, type Setting, type Settings } from '../shared/domain/settings.ts';
import { ambiguity, type Field, type FileFault, readYaml, type Written } from './read-yaml.ts';
import { quoted } from './shown-text.ts';

export interface DeploymentWanted {
  /** Of one that exists. */
  readonly id?: string;
  /** Without an id: of the one that is meant, made where there is none. */
  readonly name?: string;
  /** Fields as the API has them. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What is absent stays as it is; a limit that is made gets the API's default for it. */
export type LimitWanted = Partial<Omit<SessionLimitInput, 'whitelist'>> & { readonly whitelist?: readonly string[] };

export type OverrideWanted = number | 'unlimited' | 'blocked';

/** What is absent is left as it is. */
export interface Wanted {
  readonly deployment: DeploymentWanted;
  readonly sessionLimit?: LimitWanted | 'none';
  /** All of them: one that is not here is removed. */
  readonly overrides?: ReadonlyMap<string, OverrideWanted>;
}

type ReadFile =
  | { readonly ok: true; readonly wanted: Wanted }
  | { readonly ok: false; readonly faults: readonly FileFault[] };

type Kind = 'text' | 'list' | Setting['kind'];

const kindsOf = (settings: Settings): Readonly<Record<string, Kind>> =>
  Object.fromEntries(Object.entries(settings).map(([name, { kind }]) => [name, kind]));

const deploymentKinds: Readonly<Record<string, Kind>> = {
  id: 'text',
  name: 'text',
  mqttHost: 'text',
  ...kindsOf(deploymentSettings),
  status: 'text',
};
const limitKinds: Readonly<Record<string, Kind>> = {
  ...kindsOf(limitSettings),
  whitelist: 'list',
};

export function readFile(bytes: Uint8Array): ReadFile {
  const { contents, faults } = readYaml(bytes);
  const fault = (line: number, problem: string): undefined => {
    faults.push({ line, problem });
    return undefined;
  };
  if (contents === undefined && faults.length === 0) fault(1, 'the file is empty');
  if (contents === undefined) return { ok: false, faults };

  function fieldsOf(node: Written, where: string, known?: readonly string[]): ReadonlyMap<string, Field> {
    if (node.kind !== 'map') {
      fault(node.line, `${where} must be a list of "name: value"`);
      return new Map();
    }
    if (known === undefined) return node.fields;
    for (const [name, { line }] of node.fields)
      if (!known.includes(name)) fault(line, `${where} has no field ${quoted(name)}, only ${known.join(', ')}`);
    return new Map([...node.fields].filter(([name]) => known.includes(name)));
  }

  function textOf(node: Written, where: string): string | undefined {
    if (node.kind !== 'scalar') return fault(node.line, `${where} must be text`);
    return node.style === 'ambiguous' ? fault(node.line, `${where}: ${ambiguity(node.text)}`) : node.text;
  }

  function numberOf(node: Written, where: string): number | undefined {
    const value = node.kind === 'scalar' && node.style !== 'quoted' ? wholeNumber(node.text) : undefined;
    return value ?? fault(node.line, `${where} must be a whole number in plain digits, without quotes`);
  }

  function flagOf(node: Written, where: string): boolean | undefined {
    const text = node.kind === 'scalar' && node.style !== 'quoted' ? node.text : '';
    return text === 'true' || text === 'false' ? text === 'true' : fault(node.line, `${where} must be true or false`);
  }

  function listOf(node: Written, where: string): readonly string[] | undefined {
    if (node.kind !== 'list') return fault(node.line, `${where} must be a list of usernames; [] is an empty one`);
    const seen = new Map<string, number>();
    for (const item of node.items) {
      const text = textOf(item, `an entry of ${where}`);
      if (text === undefined) continue;
      const first = seen.get(text);
      if (first !== undefined) fault(item.line, `${quoted(text)} is in ${where} twice: the first is in line ${first}`);
      const username = parseUsername(text);
      if (!username.ok) fault(item.line, `${where}: ${username.problem}`);
      else seen.set(text, item.line);
    }
    return [...seen.keys()].sort();
  }

  const readers = { text: textOf, list: listOf, flag: flagOf, number: numberOf, seconds: numberOf, choice: textOf };

  /** The values that could be read. */
  function valuesOf(fields: ReadonlyMap<string, Field>, where: string, kinds: Readonly<Record<string, Kind>>) {
    const values: Record<string, unknown> = {};
    for (const [name, { value }] of fields) {
      const read = readers[kinds[name] ?? 'text'](value, `${where}.${name}`);
      if (read !== undefined) values[name] = read;
    }
    return values;
  }

  function lineIn(fields: ReadonlyMap<string, Field>, name: string, otherwise: number): number {
    return fields.get(name.split('.')[0] ?? '')?.value.line ?? otherwise;
  }

  function readDeployment(node: Written): DeploymentWanted {
    const fields = fieldsOf(node, 'deployment', Object.keys(deploymentKinds));
    if (node.kind === 'map' && !fields.has('id') && !fields.has('name'))
      fault(node.line, 'deployment must have an id or a name');
    const { id, ...rest } = valuesOf(fields, 'deployment', deploymentKinds);
    const parsedId = id === undefined ? undefined : parseDeploymentId(id);
    if (parsedId?.ok === false) fault(lineIn(fields, 'id', node.line), `deployment.id: ${parsedId.problem}`);
    // Only the API knows the domain of the installation: here the host's own stands for it.
    const domain = typeof rest.mqttHost === 'string' ? rest.mqttHost.toLowerCase().split('.').slice(1).join('.') : '';
    const change = parseDeploymentChange(rest, domain === '' ? undefined : domain);
    if (!change.ok) {
      for (const { name, problem } of change.faults)
        fault(
          lineIn(fields, name, node.line),
          name === 'mqttHost'
            ? 'deployment.mqttHost must be one label below the MQTT domain of the installation'
            : `deployment.${name} ${problem}`,
        );
      return { fields: {} };
    }
    const { name, ...changed } = change.value;
    return {
      ...(typeof id === 'string' ? { id } : {}),
      ...(name === undefined ? {} : { name }),
      fields: changed,
    };
  }

  function readLimit(node: Written): LimitWanted | 'none' {
    if (node.kind === 'scalar' && node.text === 'none') return 'none';
    const fields = fieldsOf(node, 'sessionLimit, unless it is none,', Object.keys(limitKinds));
    const change = parseSessionLimitChange(valuesOf(fields, 'sessionLimit', limitKinds));
    if (change.ok) return change.value;
    for (const { name, problem } of change.faults)
      fault(lineIn(fields, name, node.line), `sessionLimit.${name} ${problem}`);
    return {};
  }

  function readOverrides(node: Written): ReadonlyMap<string, OverrideWanted> {
    const overrides = new Map<string, OverrideWanted>();
    if (node.kind === 'nothing') {
      fault(node.line, 'overrides says nothing: {} removes all of them, and without the line they stay');
      return overrides;
    }
    const fields = fieldsOf(node, 'overrides');
    if (fields.size > usernamesPerListMax)
      fault(node.line, `overrides holds ${fields.size} usernames; there can be ${usernamesPerListMax}`);
    for (const [username, { line, value }] of fields) {
      const name = parseUsername(username);
      if (!name.ok) fault(line, `overrides: ${name.problem}`);
      const raw = limitIn(value);
      const checked = parseOverride({ limit: raw });
      if (checked.ok) overrides.set(username, raw as OverrideWanted);
      for (const { problem } of checked.ok ? [] : checked.faults)
        fault(value.line, `the override of ${quoted(username)} ${problem}`);
    }
    return overrides;
  }

  const top = fieldsOf(contents, 'the file', ['deployment', 'sessionLimit', 'overrides']);
  const [deployment, limit, overrides] = ['deployment', 'sessionLimit', 'overrides'].map((name) => top.get(name));
  if (contents.kind === 'map' && deployment === undefined)
    fault(contents.line, 'the file must say which deployment it is about');
  const wanted: Wanted = {
    deployment: deployment === undefined ? { fields: {} } : readDeployment(deployment.value),
    ...(limit === undefined ? {} : { sessionLimit: readLimit(limit.value) }),
    ...(overrides === undefined ? {} : { overrides: readOverrides(overrides.value) }),
  };
  if (wanted.sessionLimit === 'none' && overrides !== undefined)
    fault(overrides.line, 'overrides cannot be where sessionLimit is none: they go with it');
  return faults.length === 0 ? { ok: true, wanted } : { ok: false, faults: faults.sort((a, b) => a.line - b.line) };
}

function wholeNumber(text: string): number | undefined {
  return /^(0|[1-9][0-9]*)$/.test(text) ? Number(text) : undefined;
}

function limitIn(node: Written): string | number | undefined {
  if (node.kind !== 'scalar') return undefined;
  return node.style === 'ambiguous' ? wholeNumber(node.text) : node.text;
}
