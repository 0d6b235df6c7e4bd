// What was chosen, by name, whichever way it was given: in the operator's file, or for a trial with `-c name=value`.
// A name that is misspelt, or given twice, ends the synthesis: it must not deploy something else than was meant.

import type { Node } from 'constructs';
import { ChoiceError } from './choice-error.ts';
import type { ChoicesFile } from './choices-file.ts';

const choiceNames = [
  'restoredTable',
  'connectDomain',
  'connectCertificateArn',
  'console',
  'consoleDomain',
  'consoleCertificateArn',
  'authorizerConcurrency',
  'reserve',
  'machineClients',
  'noticeBus',
  'frontDoor',
  'mqttDomain',
  'mqttCertificateSecretArn',
  'frontDoorMinTasks',
  'frontDoorMaxTasks',
  'frontDoorConnectionsPerTask',
  'frontDoorImage',
  'consoleFolder',
] as const;

/** What the file may hold, and the state stack records. */
export const recordedNames = choiceNames.filter((name) => name !== 'consoleFolder');

/**
 * Names of choices that have no meaning any more. For one release a file may still hold them, and the state stack drops
 * them from its record: an upgrade needs no change of the file, and neither does the way back.
 */
export const retiredNames: readonly string[] = ['restoredTableStreamArn'];

export type ChoiceName = (typeof choiceNames)[number];

export interface Choices {
  /** Undefined where a choice is absent or dropped. */
  given(name: ChoiceName): unknown;
  /** Names that were given the value `null`. */
  readonly dropped: readonly ChoiceName[];
  /** Names with a value, in a fixed order. */
  readonly chosen: readonly ChoiceName[];
  /** Says what was given, where, and what is allowed. `value` is a part of what was given, where only that is wrong. */
  refuse(name: ChoiceName, allowed: string, value?: unknown): never;
}

/** What CDK and its CLI keep in the context for themselves: flags, lookups, and how the CLI was called. */
const ofCdk = /[@:/]|^cli-/;
const command = '-c, or the context of cdk.json';

export function readChoices(node: Node, file?: ChoicesFile): Choices {
  const context = Object.fromEntries(
    Object.entries(node.getAllContext() as Readonly<Record<string, unknown>>).filter(([name]) => !ofCdk.test(name)),
  );
  const inFile = file?.choices ?? {};
  const filePath = file?.path ?? 'headcount.json';
  // A folder of the machine that deploys is no property of the installation, so the file has none.
  refuseUnknown(inFile, filePath, recordedNames);
  refuseUnknown(context, command, choiceNames);
  for (const [name, value] of Object.entries(context))
    if (Object.hasOwn(inFile, name) && plain(inFile[name]) !== plain(value))
      throw new ChoiceError(
        `${name} is given twice: ${write(inFile[name])} in ${filePath}, and ${write(value)} with ${command}; ` +
          'allowed is one of them',
      );

  const all = new Map(Object.entries({ ...context, ...inFile }));
  const given = (name: ChoiceName): unknown => all.get(name) ?? undefined;
  return {
    given,
    dropped: choiceNames.filter((name) => all.get(name) === null),
    chosen: choiceNames.filter((name) => given(name) !== undefined),
    refuse(name, allowed, value = given(name)) {
      const place = Object.hasOwn(context, name) && !Object.hasOwn(inFile, name) ? command : filePath;
      const what = value === undefined ? 'is missing' : `is ${write(value)}`;
      throw new ChoiceError(`${name} ${what} (${place}); allowed is ${allowed}`);
    },
  };
}

function refuseUnknown(given: Readonly<Record<string, unknown>>, place: string, known: readonly string[]): void {
  const unknown = Object.keys(given).filter((name) => !known.includes(name) && !retiredNames.includes(name));
  if (unknown.length > 0)
    throw new ChoiceError(
      `no choice is named ${unknown.join(', ')} (${place}); those that there are: ${known.join(', ')}`,
    );
}

/** The command gives text only, so `2` and `"2"` are the same. */
const plain = (value: unknown): string => (typeof value === 'object' ? write(value) : String(value));
const write = (value: unknown): string => JSON.stringify(value) ?? String(value);
