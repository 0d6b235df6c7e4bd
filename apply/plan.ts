// From what is to what is wanted: the changes, in the order in which they are made. Pure, so that what a dry run shows is
// what a run does. What would be refused for what there is, is a problem before anything is made.

import { parseSessionLimit } from '../shared/app/settings/session-limit-input.ts';
import { limitSettings } from '../shared/domain/settings.ts';
import type { LimitWanted, OverrideWanted, Wanted } from './read-file.ts';

/** What the API says there is. */
export interface Found {
  /** Undefined: it has to be made. */
  readonly deployment:
    | ({ readonly deploymentId: string; readonly etag: string } & Readonly<Record<string, unknown>>)
    | undefined;
  readonly sessionLimit: (LimitWanted & { readonly whitelist: readonly string[]; readonly etag: string }) | undefined;
  readonly overrides: ReadonlyMap<string, OverrideWanted>;
}

export type Change =
  | { readonly kind: 'create deployment'; readonly name: string }
  /** `etag` undefined: of the deployment that has just been made. */
  | {
      readonly kind: 'change deployment';
      readonly fields: Readonly<Record<string, unknown>>;
      readonly etag: string | undefined;
    }
  /** There is none yet, and it must be so still. */
  | { readonly kind: 'create limit'; readonly limit: LimitWanted }
  | { readonly kind: 'change limit'; readonly fields: LimitWanted; readonly etag: string }
  | { readonly kind: 'delete limit'; readonly etag: string; readonly overrides: Found['overrides'] }
  | { readonly kind: 'delete override'; readonly username: string; readonly before: OverrideWanted }
  | {
      readonly kind: 'put override';
      readonly username: string;
      readonly limit: OverrideWanted;
      readonly before: OverrideWanted | undefined;
    };

export interface Step {
  readonly change: Change;
  /** As a dry run shows it: `+` new, `-` gone, `~` changed. */
  readonly shown: string;
}

export type Plan =
  | { readonly ok: true; readonly steps: readonly Step[] }
  | { readonly ok: false; readonly problem: string };

export function planChanges(wanted: Wanted, found: Found): Plan {
  if (wanted.overrides !== undefined && wanted.sessionLimit === undefined && found.sessionLimit === undefined)
    return {
      ok: false,
      problem: 'there is no session limit that the overrides could go with: add sessionLimit to the file',
    };
  const steps = [...deploymentSteps(wanted, found), ...limitSteps(wanted, found), ...overrideSteps(wanted, found)];
  return { ok: true, steps };
}

function deploymentSteps({ deployment: { name, fields } }: Wanted, { deployment }: Found): readonly Step[] {
  const steps: Step[] = [];
  if (deployment === undefined && name !== undefined)
    steps.push({ change: { kind: 'create deployment', name }, shown: `+ deployment ${text(name)}` });
  const all = name === undefined || deployment === undefined ? fields : { name, ...fields };
  const changed = Object.entries(all).filter(([field, value]) => deployment?.[field] !== value);
  if (changed.length > 0)
    steps.push({
      change: { kind: 'change deployment', fields: Object.fromEntries(changed), etag: deployment?.etag },
      shown: changed
        .map(([field, value]) => `~ deployment.${field}: ${text(deployment?.[field])} -> ${text(value)}`)
        .join('\n'),
    });
  return steps;
}

function limitSteps({ sessionLimit: wanted }: Wanted, { sessionLimit: is, overrides }: Found): readonly Step[] {
  if (wanted === undefined) return [];
  if (wanted === 'none') return is === undefined ? [] : [deleteLimit(is, overrides)];
  if (is === undefined) {
    const whole = parseSessionLimit(wanted);
    if (!whole.ok) throw new Error('the file was read, and holds a limit that the API would refuse');
    const shown = ['+ session limit', ...limitLines(whole.value, undefined)].join('\n');
    return [{ change: { kind: 'create limit', limit: whole.value }, shown }];
  }
  const lines = limitLines(wanted, is);
  if (lines.length === 0) return [];
  return [{ change: { kind: 'change limit', fields: wanted, etag: is.etag }, shown: lines.join('\n') }];
}

/** What goes with it is shown too: it cannot be had back. */
function deleteLimit(
  { whitelist, etag }: { whitelist: readonly string[]; etag: string },
  overrides: Found['overrides'],
): Step {
  const lines = ['- session limit, its whitelist and its overrides, for good'];
  for (const name of whitelist) lines.push(`- whitelist ${text(name)}`);
  for (const [username, limit] of overrides) lines.push(`- override ${text(username)}: ${limit}`);
  return { change: { kind: 'delete limit', etag, overrides }, shown: lines.join('\n') };
}

function limitLines(wanted: LimitWanted, is: LimitWanted | undefined): readonly string[] {
  const lines: string[] = [];
  for (const field of Object.keys(limitSettings) as readonly (keyof typeof limitSettings)[])
    if (wanted[field] !== undefined && is?.[field] !== wanted[field])
      lines.push(
        `~ session limit ${field}: ${is === undefined ? '' : `${is[field] ?? 'nothing'} -> `}${wanted[field]}`,
      );
  if (wanted.whitelist === undefined) return lines;
  const [before, after] = [new Set(is?.whitelist), new Set(wanted.whitelist)];
  for (const name of after) if (!before.has(name)) lines.push(`+ whitelist ${text(name)}`);
  for (const name of before) if (!after.has(name)) lines.push(`- whitelist ${text(name)}`);
  return lines;
}

/** Those that go come first: there may be as many as there can be. */
function overrideSteps({ overrides: wanted }: Wanted, { overrides: are }: Found): readonly Step[] {
  if (wanted === undefined) return [];
  const gone = [...are].filter(([username]) => !wanted.has(username));
  const put = [...wanted].filter(([username, limit]) => are.get(username) !== limit);
  return [
    ...gone.map(
      ([username, before]): Step => ({
        change: { kind: 'delete override', username, before },
        shown: `- override ${text(username)}: ${before}`,
      }),
    ),
    ...put.map(([username, limit]): Step => {
      const before = are.get(username);
      const shown =
        before === undefined
          ? `+ override ${text(username)}: ${limit}`
          : `~ override ${text(username)}: ${before} -> ${limit}`;
      return { change: { kind: 'put override', username, limit, before }, shown };
    }),
  ];
}

/** Quoted, so that a username with a line break in it shows no line of its own. */
const text = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value));
