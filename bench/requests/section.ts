// Section `requests`: how often one life of a session asks the database, and what a request costs.

import { type Section, within } from '../section.ts';
import { countLives, type Life } from './lives.ts';
import { timeRequests } from './processor.ts';

const crowd = 64;

function rowsOf(what: string, { beforeConnack, inAll, detail }: Life, budgets: readonly [number, number]) {
  const common = { unit: 'requests', binding: true, headline: true, detail } as const;
  return [
    within({ ...common, what: `${what}, before CONNACK`, value: beforeConnack, budget: budgets[0] }),
    within({ ...common, what: `${what}, in all`, value: inAll, budget: budgets[1] }),
  ];
}

export const section: Section = {
  name: 'requests',
  title: 'Requests to the database',
  async run({ say, full }) {
    const timed = await timeRequests({ full });
    const { frontDoor, straight, inCrowd } = await countLives(crowd);
    say(`front door ${frontDoor.inAll}, straight ${straight.inAll}, in a crowd ${inCrowd}`);
    return {
      rows: [
        ...rowsOf('a clean life through the front door', frontDoor, [4, 9]),
        ...rowsOf('a clean life straight to the broker', straight, [4, 11]),
        ...timed.rows,
        {
          what: `each of ${crowd} clean lives at once, one username`,
          value: Math.round(inCrowd * 10) / 10,
          unit: 'requests',
        },
      ],
      notes: [
        ...(timed.notes ?? []),
        'The whole local product, with a counting proxy before its engine. A client id that is new, a username that is in use, and settings and password that the process has read: those are read once in 4 s and deployment or username. Left out: the sweeper, and the rank of a username, which is refreshed once for all its lives of 2 s (50 s on AWS). On AWS a report and the event of the same connection share a reading if they come in one batch.',
      ],
    };
  },
};
