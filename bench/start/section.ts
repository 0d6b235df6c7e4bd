// Section `start`: how large the functions are, how long they take to load, and how long a local restart takes.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { latencyRows, ratioRow, takeTurns } from '../latency/rounds.ts';
import { type Row, type Section, within } from '../section.ts';
import { buildFunctions, bundleSdk } from './bundles.ts';
import { timeImport } from './cold-import.ts';
import { timeRestart } from './restart.ts';

const authorizerBudgetKb = 400;
const importBudget = 2;
const restartBudgetMs = 10_000;

async function restartRow(sessions: number, usernames: number, of: string): Promise<Row> {
  const what = `local restart after a kill with ${sessions.toLocaleString('en-US')} connected sessions ${of}, until ready`;
  const value = Math.round(await timeRestart(usernames, sessions / usernames));
  return within({ what, value, unit: 'ms', budget: restartBudgetMs, headline: true });
}

export const section: Section = {
  name: 'start',
  title: 'Size and start of the functions, and a local restart',
  async run({ full, say }) {
    const folder = mkdtempSync(join(tmpdir(), 'headcount-bench-'));
    try {
      const functions = await buildFunctions(folder);
      const sdk = await bundleSdk(folder);
      say(`${functions.length} functions built`);
      const authorizer = functions.find(({ name }) => name === 'Authorizer');
      if (authorizer === undefined) throw new Error('the stack has no authorizer');
      const sizes = functions.map(({ name, bytes }): Row => {
        const row = { what: `bundle of ${name}, minified`, value: Math.round(bytes / 1_000), unit: 'KB' };
        return name === 'Authorizer'
          ? within({ ...row, budget: authorizerBudgetKb, binding: true, headline: true })
          : row;
      });
      const subjects = [authorizer, sdk].map(({ name, file }) => ({ name, work: () => timeImport(file) }));
      const rounds = full ? 15 : 5;
      const times = await takeTurns(subjects, rounds, 5);
      const restarted = full ? 10_000 : 2_000;
      const restarts = [
        await restartRow(restarted, restarted, 'of a username each'),
        await restartRow(restarted, 1, 'of one username'),
      ];
      say('restarted');
      return {
        rows: [
          ...restarts,
          ...sizes,
          { what: 'bundle of the AWS SDK clients alone, minified', value: Math.round(sdk.bytes / 1_000), unit: 'KB' },
          ratioRow(times, authorizer.name, sdk.name, {
            what: 'cold import of the authorizer, to that of the AWS SDK clients alone',
            budget: importBudget,
            headline: true,
          }),
          ...latencyRows(times, authorizer.name, 'cold import of the authorizer'),
          ...latencyRows(times, sdk.name, 'cold import of the AWS SDK clients alone'),
        ],
        notes: [
          'Bundles as the stack makes them. The SDK clients alone are the DynamoDB client, the document client and seven commands, bundled with the same settings.',
          `A fresh process for each import, in turns, ${rounds} rounds of 5; the start of Node itself is left out. Files come from the disk cache, on a machine of this kind and not on Lambda.`,
        ],
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
