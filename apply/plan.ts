// From what is to what is wanted: the changes, in the order in which they are made. Pure, so that what a dry run shows is
// what a run does.

import type { LimitWanted, OverrideWanted, Wanted } from './read-file.ts';

/** What the API says there is. */
export interface Found {
  /** Undefined: it has to be made. */
  readonly deployment: ({ readonly deploymentId: string } & Readonly<Record<string, unknown>>) | undefined;
  readonly sessionLimit: (LimitWanted & { readonly etag: string }) | undefined;
  readonly overrides: ReadonlyMap<string, OverrideWanted>;
}

export type Change =
  | { readonly kind: 'create deployment'; readonly name: string }
  | { readonly kind: 'change deployment'; readonly fields: Readonly<Record<string, string | number>> }
  /** `etag` undefined: there is none yet, and it must be so still. */
  | { readonly kind: 'put limit'; readonly limit: LimitWanted; readonly etag: string | undefined }
  | { readonly kind: 'delete limit'; readonly etag: string }
  | { readonly kind: 'put override'; readonly username: string; readonly limit: OverrideWanted }
  | { readonly kind: 'delete override'; readonly username: string };

export interface Step {
  readonly change: Change;
  /** As a dry run shows it: `+` new, `-` gone, `~` changed. */
  readonly shown: string;
}

export function planChanges(wanted: Wanted, found: Found): readonly Step[] {
  return [...deploymentSteps(wanted, found), ...limitSteps(wanted, found), ...overrideSteps(wanted, found)];
}

function deploymentSteps({ deployment: { name, fields } }: Wanted, { deployment }: Found): readonly Step[] {
  const steps: Step[] = [];
  if (deployment === undefined && name !== undefined)
    steps.push({ change: { kind: 'create deployment', name }, shown: `+ deployment ${text(name)}` });
  const all = name === undefined || deployment === undefined ? fields : { name, ...fields };
  const changed = Object.entries(all).filter(([field, value]) => deployment?.[field] !== value);
  if (changed.length > 0)
    steps.push({
      change: { kind: 'change deployment', fields: Object.fromEntries(changed) },
      shown: changed
        .map(([field, value]) => `~ deployment.${field}: ${text(deployment?.[field])} -> ${text(value)}`)
        .join('\n'),
    });
  return steps;
}

function limitSteps({ sessionLimit: wanted }: Wanted, { sessionLimit: is }: Found): readonly Step[] {
  if (wanted === undefined) return [];
  if (wanted === 'none')
    return is === undefined
      ? []
      : [
          {
            change: { kind: 'delete limit', etag: is.etag },
            shown: '- session limit, its whitelist and its overrides, for good',
          },
        ];
  const lines = is === undefined ? ['+ session limit'] : [];
  for (const field of ['enabled', 'maxSessionsPerUsername'] as const)
    if (is?.[field] !== wanted[field])
      lines.push(`~ session limit ${field}: ${is === undefined ? '' : `${is[field]} -> `}${wanted[field]}`);
  const [before, after] = [new Set(is?.whitelist), new Set(wanted.whitelist)];
  for (const name of after) if (!before.has(name)) lines.push(`+ whitelist ${text(name)}`);
  for (const name of before) if (!after.has(name)) lines.push(`- whitelist ${text(name)}`);
  if (lines.length === 0) return [];
  return [{ change: { kind: 'put limit', limit: wanted, etag: is?.etag }, shown: lines.join('\n') }];
}

function overrideSteps({ overrides: wanted, sessionLimit }: Wanted, { overrides: are }: Found): readonly Step[] {
  // They go with the limit.
  if (wanted === undefined || sessionLimit === 'none') return [];
  const put = [...wanted].filter(([username, limit]) => are.get(username) !== limit);
  const gone = [...are].filter(([username]) => !wanted.has(username));
  return [
    ...put.map(([username, limit]): Step => {
      const before = are.get(username);
      const shown =
        before === undefined
          ? `+ override ${text(username)}: ${limit}`
          : `~ override ${text(username)}: ${before} -> ${limit}`;
      return { change: { kind: 'put override', username, limit }, shown };
    }),
    ...gone.map(
      ([username, limit]): Step => ({
        change: { kind: 'delete override', username },
        shown: `- override ${text(username)}: ${limit}`,
      }),
    ),
  ];
}

/** Quoted, so that a username with a line break in it shows no line of its own. */
const text = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value));
