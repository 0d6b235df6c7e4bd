// Section `latency`: the authorizer's handler beside one bare transactional write, the front door beside the bare broker.
// Times are this machine's; each ratio is of one run, its two sides taken in turns.

import { startEngine } from '../../local/engine.ts';
import { systemClock } from '../../shared/adapters/node/clock.ts';
import type { Username } from '../../shared/domain/ids.ts';
import { groundOn, type Lists, prepareScene } from '../paths/prepare.ts';
import type { Row, Section } from '../section.ts';
import { timeAuthorizer } from './authorizer.ts';
import { timeConnects } from './connects.ts';
import { latencyRows, ratioRow, type Times } from './rounds.ts';

/** The handler's median is at most so many times that of a bare transactional write. */
const authorizerBudget = 3;

/** Sessions of the username that is at its limit. No other comes near in a run. */
const held = 100;

async function authorizer(lists: Lists, rounds: number, turns: number): Promise<Times> {
  const engine = await startEngine({ dataDir: ':memory:' });
  try {
    const options = { usernames: 60, held, lists, startAt: systemClock.now() };
    const ground = await groundOn(engine.endpoint, 'latency');
    const scene = await prepareScene(ground, options);
    await scene.limit(scene.username, held);
    const usernames: Username[] = [];
    for (let n = 0; n < 20; n++) usernames.push(await scene.newUsername());
    const { deploymentId, password, username: full } = scene;
    ground.close();
    const at = { endpoint: engine.endpoint, tableName: 'latency', deploymentId };
    return await timeAuthorizer({ ...at, password, usernames, full, rounds, turns });
  } finally {
    await engine.stop();
  }
}

const names = ['new', 'reconnect', 'rejected'] as const;
const whatOf = {
  new: 'authorizer, a new session',
  reconnect: 'authorizer, a reconnect',
  rejected: 'authorizer, a rejection for quota',
} as const;

function ratioRows(times: Times, of: string, headline: boolean): readonly Row[] {
  return names.map((name) =>
    ratioRow(times, name, 'bare', {
      what: `${whatOf[name]}${of}, to one bare transactional write`,
      budget: authorizerBudget,
      ...(headline && name === 'new' ? { headline } : {}),
    }),
  );
}

function authorizerRows(times: Times, withLists: Times): readonly Row[] {
  return [
    ...ratioRows(times, '', true),
    ...ratioRows(withLists, ', whitelist and overrides in use', false),
    ...names.flatMap((name) => latencyRows(times, name, whatOf[name])),
    ...latencyRows(times, 'bare', 'one bare transactional write'),
  ];
}

export const section: Section = {
  name: 'latency',
  title: 'Latency of the authorizer and the front door',
  async run({ full, say }) {
    const [rounds, turns] = full ? [21, 40] : [9, 20];
    const handler = await authorizer({ whitelist: false, overrides: false }, rounds, turns);
    const withLists = await authorizer({ whitelist: true, overrides: true }, rounds, turns);
    say('authorizer measured');
    const { connects, messages } = await timeConnects(rounds, full ? 25 : 10);
    return {
      rows: [
        ...authorizerRows(handler, withLists),
        ratioRow(connects, 'door', 'broker', {
          what: 'CONNECT through the front door alone, to the bare broker',
          headline: true,
        }),
        ratioRow(connects, 'product', 'broker', {
          what: 'CONNECT through the whole product, counted and confirmed, to the bare broker',
          headline: true,
        }),
        ratioRow(connects, 'product, straight', 'broker', {
          what: "CONNECT straight to the product's broker, admitted by the authorizer, to the bare broker",
        }),
        ratioRow(messages, 'door', 'broker', {
          what: 'a message (QoS 1, acknowledged) through the front door, to the bare broker',
        }),
        ...latencyRows(connects, 'broker', 'CONNECT to the bare broker'),
        ...latencyRows(connects, 'door', 'CONNECT through the front door alone'),
        ...latencyRows(connects, 'product', 'CONNECT through the whole product'),
        ...latencyRows(connects, 'product, straight', "CONNECT straight to the product's broker"),
        ...latencyRows(messages, 'broker', 'a message to the bare broker'),
        ...latencyRows(messages, 'door', 'a message through the front door'),
      ],
      notes: [
        `${rounds} rounds, in each of them ${turns} of everything in turns; a ratio is the median of the rounds' ratios of medians. One request at a time: nothing waits for anything but itself.`,
        'The authorizer is the real handler, configured as the function is, with settings and credentials in its memory, on the embedded engine in memory, of a deployment without whitelist or overrides unless told; the username that is full holds a hundred sessions. The bare write puts a session item and adds to a counter in one transaction, through a document client of the SDK as it comes, whatever the product does about its own.',
        'Bare broker: aedes on a port of its own. The front door alone stands before the same aedes and admits whoever comes at once; the whole product counts the session and waits, as it does locally, until its confirmation is applied.',
      ],
    };
  },
};
