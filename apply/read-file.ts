// Limits as a file: what it may say, and, where it says something else, in which line. Nothing is guessed: a word that is
// misspelt must not be a limit that is missing.

import { isMap, isScalar, LineCounter, type Pair, parseDocument, type YAMLMap } from 'yaml';

export interface DeploymentWanted {
  /** Of one that exists. */
  readonly id?: string;
  /** Without an id: of the one that is meant, made where there is none. */
  readonly name?: string;
  /** Fields as the API has them. */
  readonly fields: Readonly<Record<string, string | number>>;
}

export interface LimitWanted {
  readonly enabled: boolean;
  readonly maxSessionsPerUsername: number;
  readonly whitelist: readonly string[];
}

export type OverrideWanted = number | 'unlimited' | 'blocked';

/** What is absent is left as it is. */
export interface Wanted {
  readonly deployment: DeploymentWanted;
  readonly sessionLimit?: LimitWanted | 'none';
  /** All of them: one that is not here is removed. */
  readonly overrides?: ReadonlyMap<string, OverrideWanted>;
}

export interface FileFault {
  readonly line: number;
  readonly problem: string;
}

export type ReadFile =
  | { readonly ok: true; readonly wanted: Wanted }
  | { readonly ok: false; readonly faults: readonly FileFault[] };

const deploymentFields: Readonly<Record<string, 'text' | 'number'>> = {
  mqttHost: 'text',
  sessionExpirySeconds: 'number',
  clientIdTakeover: 'text',
  onStoreFailure: 'text',
  status: 'text',
};

export function readFile(source: string): ReadFile {
  const lines = new LineCounter();
  const document = parseDocument(source, { lineCounter: lines, uniqueKeys: true });
  const faults: FileFault[] = document.errors.map((error) => ({
    line: error.linePos?.[0].line ?? 1,
    problem: error.message.split('\n')[0] ?? error.message,
  }));
  const lineOf = (node: unknown): number => {
    const range = (node as { range?: readonly number[] | null } | null)?.range;
    return range?.[0] === undefined ? 1 : lines.linePos(range[0]).line;
  };
  const fault = (node: unknown, problem: string): undefined => {
    faults.push({ line: lineOf(node), problem });
    return undefined;
  };

  function fieldsOf(node: unknown, where: string, known: readonly string[]): ReadonlyMap<string, unknown> {
    const found = new Map<string, unknown>();
    if (!isMap(node)) {
      fault(node, `${where} must be a list of "name: value"`);
      return found;
    }
    for (const { key, value } of (node as YAMLMap).items as readonly Pair[]) {
      const name = isScalar(key) ? String(key.value) : '';
      if (known.length > 0 && !known.includes(name))
        fault(key, `${where} has no field "${name}", only ${known.join(', ')}`);
      else found.set(name, value);
    }
    return found;
  }

  const scalarOf = (node: unknown): unknown => (isScalar(node) ? node.value : node);

  function readDeployment(node: unknown): DeploymentWanted {
    const fields = fieldsOf(node, 'deployment', ['id', 'name', ...Object.keys(deploymentFields)]);
    const text = (name: string): string | undefined => {
      const given = fields.get(name);
      if (given === undefined) return undefined;
      const value = scalarOf(given);
      return typeof value === 'string' && value !== '' ? value : fault(given, `deployment.${name} must be text`);
    };
    const [id, name] = [text('id'), text('name')];
    if (id === undefined && name === undefined) fault(node, 'deployment must have an id or a name');
    const set: Record<string, string | number> = {};
    for (const [field, kind] of Object.entries(deploymentFields)) {
      const given = fields.get(field);
      if (given === undefined) continue;
      const value = scalarOf(given);
      if (kind === 'text' ? typeof value === 'string' : typeof value === 'number')
        set[field] = value as string | number;
      else fault(given, `deployment.${field} must be ${kind === 'text' ? 'text' : 'a number'}`);
    }
    return { ...(id === undefined ? {} : { id }), ...(name === undefined ? {} : { name }), fields: set };
  }

  function readLimit(node: unknown): LimitWanted | 'none' {
    if (scalarOf(node) === 'none') return 'none';
    const fields = fieldsOf(node, 'sessionLimit', ['enabled', 'maxSessionsPerUsername', 'whitelist']);
    const enabled = fields.has('enabled') ? scalarOf(fields.get('enabled')) : true;
    if (typeof enabled !== 'boolean') fault(fields.get('enabled'), 'sessionLimit.enabled must be true or false');
    const max = fields.has('maxSessionsPerUsername') ? scalarOf(fields.get('maxSessionsPerUsername')) : 100;
    if (!isCount(max))
      fault(fields.get('maxSessionsPerUsername'), 'sessionLimit.maxSessionsPerUsername must be 1 to 1,000,000');
    const list = fields.get('whitelist');
    const whitelist: unknown = list === undefined ? [] : (list as { toJSON?: () => unknown }).toJSON?.();
    if (!isTexts(whitelist)) fault(list, 'sessionLimit.whitelist must be a list of usernames; put numbers into quotes');
    return {
      enabled: enabled === true,
      maxSessionsPerUsername: Number(max),
      whitelist: isTexts(whitelist) ? [...new Set(whitelist)].sort() : [],
    };
  }

  function readOverrides(node: unknown): ReadonlyMap<string, OverrideWanted> {
    const overrides = new Map<string, OverrideWanted>();
    if (scalarOf(node) === null) return overrides;
    for (const [username, given] of fieldsOf(node, 'overrides', [])) {
      const value = scalarOf(given);
      if (isCount(value) || value === 'unlimited' || value === 'blocked') overrides.set(username, value);
      else fault(given, `the override of "${username}" must be a number of at least 1, unlimited or blocked`);
    }
    return overrides;
  }

  if (faults.length > 0) return { ok: false, faults };
  const top = fieldsOf(document.contents, 'the file', ['deployment', 'sessionLimit', 'overrides']);
  if (!top.has('deployment')) fault(document.contents, 'the file must say which deployment it is about');
  const wanted: Wanted = {
    deployment: top.has('deployment') ? readDeployment(top.get('deployment')) : { fields: {} },
    ...(top.has('sessionLimit') ? { sessionLimit: readLimit(top.get('sessionLimit')) } : {}),
    ...(top.has('overrides') ? { overrides: readOverrides(top.get('overrides')) } : {}),
  };
  return faults.length === 0 ? { ok: true, wanted } : { ok: false, faults: faults.sort((a, b) => a.line - b.line) };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 1_000_000;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}
