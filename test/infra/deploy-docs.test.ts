// The commands of docs/deploy.md, as far as they go without an account. Held here: npm scripts exist; CDK's commands, their
// options and the stacks they name are those of the pinned CLI and of this app; what stands in JSON passes as choices; AWS's
// commands and options have their documented names, all that is required, and values where a value is due. Not held: that
// AWS answers as the page says, and what stands for an ellipsis or a placeholder. `cdk synth` itself runs in synth.test.ts.

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { describe, expect, test } from 'vitest';
import { recordedNames } from '../../infra/choices.ts';
import { readInstallation } from '../../infra/installation.ts';
import { addStacks } from '../../infra/stacks.ts';
import { optionsOfAwsCommand } from './aws-commands.ts';
import { type Command, readCommands, readJsonPieces } from './page-commands.ts';
import { buildApp, withFrontDoor } from './synth.ts';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/deploy.md', root), 'utf8');
const { name, version, scripts, peerDependencies }: Manifest = JSON.parse(
  readFileSync(new URL('package.json', root), 'utf8'),
);

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly scripts: object;
  readonly peerDependencies: object;
}

interface CliOption {
  readonly type: string;
  readonly alias?: string;
}

interface CliRegistry {
  readonly globalOptions: Readonly<Record<string, CliOption>>;
  readonly commands: Readonly<
    Record<string, { readonly aliases?: readonly string[]; readonly options?: Readonly<Record<string, CliOption>> }>
  >;
}

// What the CLI makes its own parser and its help of.
const cliFolder = dirname(createRequire(import.meta.url).resolve('aws-cdk/package.json'));
const cli: CliRegistry = JSON.parse(readFileSync(join(cliFolder, 'lib/cli/cli-type-registry.json'), 'utf8'));

const app = buildApp(withFrontDoor);
addStacks(app);
const stacks = app.node.children.filter(Stack.isStack).map(({ stackName }) => stackName);

function choicesProblem(choices: Readonly<Record<string, unknown>>): readonly string[] {
  try {
    readInstallation(new App().node, { path: 'headcount.json', choices });
    return [];
  } catch (error) {
    return [String(error)];
  }
}

const checkStack = (name: string): readonly string[] =>
  name.startsWith('<') || stacks.includes(name) ? [] : [`there is no stack ${name}`];

/** `name=value` stands for any of them. */
const checkChoice = (given: string): readonly string[] =>
  ['name', ...recordedNames].includes(given.split('=')[0] ?? '') ? [] : [`there is no choice ${given}`];

function checkCdk([name = '', ...words]: readonly string[]): readonly string[] {
  const [, command] =
    Object.entries(cli.commands).find(([own, { aliases }]) => [own, ...(aliases ?? [])].includes(name)) ?? [];
  if (command === undefined) return [`cdk has no command ${name}`];
  const known = Object.entries({ ...cli.globalOptions, ...command.options });
  const problems: string[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? '';
    if (!word.startsWith('-')) problems.push(...checkStack(word));
    else {
      const [, option] = known.find(([long, { alias }]) => [`--${long}`, `-${alias}`].includes(word)) ?? [];
      if (option === undefined) problems.push(`cdk ${name} has no option ${word}`);
      else if (option.type !== 'boolean') index++;
      if (['-c', '--context'].includes(word)) problems.push(...checkChoice(words[index] ?? ''));
      if (index >= words.length) problems.push(`${word} lacks its value`);
    }
  }
  return problems;
}

function checkAws([service = '', operation = '', ...words]: readonly string[]): readonly string[] {
  const known = optionsOfAwsCommand(`${service} ${operation}`);
  if (known === undefined) return [`aws ${service} ${operation} is not among the known commands`];
  const problems: string[] = [];
  for (const [index, word] of words.entries()) {
    if (word === '--stack-name') problems.push(...checkStack(words[index + 1] ?? ''));
    if (!word.startsWith('--')) continue;
    const option = known.find(({ name }) => word === `--${name}`);
    const next = words[index + 1];
    const hasValue = next !== undefined && !next.startsWith('--');
    if (option === undefined) problems.push(`aws ${service} ${operation} has no option ${word}`);
    else if (option.takesValue && !hasValue) problems.push(`${word} lacks its value`);
    else if (!option.takesValue && hasValue && next !== '…') problems.push(`${word} takes no value`);
    if (next?.startsWith('{') === true) JSON.parse(next);
  }
  if (words.includes('…')) return problems;
  const missing = known.filter(({ name, required }) => required && !words.includes(`--${name}`));
  return [...problems, ...missing.map(({ name }) => `aws ${service} ${operation} lacks --${name}`)];
}

/** What an app of its own needs: the peers, and the package by the name that `npm pack` gives it. */
const installable = [...Object.keys(peerDependencies), `./${name}-${version}.tgz`];

/** Programs that this repository has no part of. */
const takenAsTheyAre = ['git pull', 'docker buildx imagetools inspect '];

function checkCommand({ program, words: [first = '', ...words] }: Command): readonly string[] {
  if (program === 'npm' && first === 'ci')
    return existsSync(new URL('package-lock.json', root)) ? [] : ['no lock file'];
  if (program === 'npm' && first === 'run') return (words[0] ?? '') in scripts ? [] : [`no script ${words[0]}`];
  if (program === 'npm' && first === 'pack') return 'prepack' in scripts ? [] : ['npm pack would pack nothing'];
  if (program === 'npm' && first === 'install')
    return words.filter((word) => !installable.includes(word)).map((word) => `there is no ${word} to install`);
  if (program === 'npx' && first === 'cdk') return checkCdk(words);
  if (program === 'aws') return checkAws([first, ...words]);
  const line = [program, first, ...words].join(' ');
  return takenAsTheyAre.some((start) => line.startsWith(start)) ? [] : [`${program} ${first} is not known here`];
}

const problemsOf = (text: string): readonly string[] =>
  readCommands(text).flatMap((command) => checkCommand(command).map((problem) => `${command.text}: ${problem}`));

test('the page begins with what comes before the first deploy', () => {
  expect(/^## (.*)$/m.exec(page)?.[1]).toBe('Before the first deploy');
});

test('each command of the page is one that there is, with options, stacks and scripts that there are', () => {
  const programs = readCommands(page).map(({ program, words }) =>
    `${program} ${program === 'aws' ? '' : words[0]}`.trim(),
  );
  for (const program of ['npm ci', 'npm run', 'npx cdk', 'aws']) expect(programs).toContain(program);
  expect(problemsOf(page)).toEqual([]);
});

test('what the page shows in JSON passes as choices', () => {
  const pieces = readJsonPieces(page);
  expect(pieces.length).toBeGreaterThan(0);
  expect(pieces.flatMap((piece) => choicesProblem(JSON.parse(piece)))).toEqual([]);
});

describe('a command that is wrong on purpose is found', () => {
  test.each([
    ['npm run build:consol', 'no script'],
    ['npm install ./headcount.tgz', 'there is no ./headcount.tgz'],
    ['npx cdk deplay --all', 'no command deplay'],
    ['npx cdk deploy --al', 'no option --al'],
    ['npx cdk deploy --require-approval', '--require-approval lacks its value'],
    ['npx cdk deploy -c frontDor=true', 'no choice frontDor'],
    ['npx cdk destroy HeadcountWeb HeadcountWebb', 'no stack HeadcountWebb'],
    ['npm ci && npx cdk destroy Headcounts', 'no stack Headcounts'],
    ['aws iot drop-domain-configuration', 'not among the known commands'],
    ['aws iot update-authorizer --authorizer-name <n> --state INACTIVE', 'no option --state'],
    ['aws iot update-authorizer --status INACTIVE', 'lacks --authorizer-name'],
    ['aws iot update-authorizer --authorizer-name --status INACTIVE', '--authorizer-name lacks its value'],
    ['aws iot update-domain-configuration … --remove-authorizer-config true', 'takes no value'],
    ['aws cloudformation describe-stacks --stack-name HeadcountStat', 'no stack HeadcountStat'],
    ['yarn install', 'not known here'],
  ])('%s', (command, problem) => {
    expect(problemsOf(`\`\`\`\n${command}\n\`\`\`\n`)).toEqual([expect.stringContaining(problem)]);
    const inline = /^(npm|npx|aws|git) /.test(command);
    expect(problemsOf(`Then \`${command.replace(' ', '\n  ')}\`.`)).toHaveLength(inline ? 1 : 0);
  });

  test('and a choice that there is not', () => {
    const wrong = readJsonPieces('```json\n{"consol": false}\n```\n or `"reserve": 3`').map((piece) =>
      JSON.parse(piece),
    );
    expect(wrong.map((piece) => choicesProblem(piece).length)).toEqual([1, 1]);
  });
});
