// What a CONNECT costs that is rejected for quota: calm, in a storm, and where it loses a race that was on when it read.

import type { RejectReason } from '../../shared/domain/connack.ts';
import type { ConnectDecision } from '../../shared/domain/connect.ts';
import type { Spent } from '../meter/meter.ts';
import { check, each, type Path } from './path.ts';
import type { Admitted, Scene } from './scene.ts';

const stormSize = 100;
const ofRejection = { write: 0, read: 4 };

function checkRejected(answer: ConnectDecision, reason: RejectReason = 'quota_exceeded'): void {
  check(answer.kind === 'rejected' && answer.reason === reason, `the answer was ${JSON.stringify(answer)}`);
}

/** The username at its limit while `work` goes on; `room` places are left. */
async function atLimit<T>(scene: Scene, work: () => Promise<T>, room = 0): Promise<T> {
  await scene.limit(scene.username, (await scene.used(scene.username)) + room);
  await scene.warm(scene.username);
  try {
    return await work();
  } finally {
    await scene.limit(scene.username, undefined);
    // What was rejected is written by nobody's measurement but its own.
    await scene.metered.rejections.flush({ all: true });
  }
}

const reject = (scene: Scene): Promise<ConnectDecision> =>
  scene.ask(scene.metered, scene.username, scene.newClientId());

export const rejectPaths: readonly Path[] = [
  {
    name: 'rejected for quota, the first since the username is full',
    budget: ofRejection,
    // Where lanes of a wide roster are open, it takes back what they hold in reserve, once for all who come after it. The
    // roster item costs two units more where it holds all places that it had when it became wide; and two are for finding
    // out that the limit has been changed, as it has here.
    wideBudget: { write: 52, read: 62 },
    awaited: true,
    run: (scene) =>
      atLimit(scene, async () => {
        checkRejected(await scene.spend(() => reject(scene)));
        return scene.spent();
      }),
  },
  {
    name: 'rejected for quota',
    budget: ofRejection,
    awaited: true,
    run: (scene) =>
      atLimit(scene, async () => {
        checkRejected(await reject(scene));
        checkRejected(await scene.spend(() => reject(scene)));
        return scene.spent();
      }),
  },
  {
    name: `rejected for quota, each of ${stormSize} at once`,
    budget: ofRejection,
    together: true,
    awaited: true,
    run: (scene) =>
      atLimit(scene, async () => {
        await scene.spend(() => Promise.all(Array.from({ length: stormSize }, () => reject(scene).then(checkAnswer))));
        return each(scene.spent(), stormSize);
      }),
  },
  {
    // Settings and the password in its memory, and nothing of the username.
    name: `rejected for quota, each of ${stormSize} at once in a new process`,
    budget: ofRejection,
    together: true,
    awaited: true,
    run: (scene) =>
      atLimit(scene, async () => {
        const core = scene.newProcess();
        await scene.warm(scene.username, core);
        await scene.spend(() =>
          Promise.all(
            Array.from({ length: stormSize }, () =>
              scene.ask(core, scene.username, scene.newClientId()).then(checkAnswer),
            ),
          ),
        );
        await core.rejections.flush({ all: true });
        return each(scene.spent(), stormSize);
      }),
  },
  {
    name: `the record of a storm of ${stormSize}, at most once in 10 s`,
    // Two transactions: the username's record, its entry by used, and the hour; the record of the reason, and its entry by
    // time. Beside them the last 20 are read, and written in an item of up to 1 KB with client ids of up to 30 bytes.
    budget: { write: 10, read: 1 },
    run: (scene) =>
      atLimit(scene, async () => {
        for (let storm = 0; storm < 2; storm++) {
          // The second one finds a record there, as all but the first do.
          scene.pass(11);
          await Promise.all(Array.from({ length: stormSize }, () => reject(scene).then(checkAnswer)));
          await scene.spend(() => scene.metered.rejections.flush());
        }
        const spent = scene.spent();
        check(spent.requests === 4, `it took ${spent.requests} requests`);
        await reject(scene).then(checkAnswer);
        await scene.spend(() => scene.metered.rejections.flush());
        check(scene.spent().requests === 0, 'a second record within 10 s');
        return spent;
      }),
  },
  {
    name: 'rejected for quota, a race lost after its reading',
    budget: {},
    awaited: true,
    run: (scene) => atLimit(scene, () => loseRace(scene), 1),
  },
  {
    name: 'admitted at the limit, an expired session of its own reclaimed',
    budget: {},
    awaited: true,
    async run(scene) {
      await scene.leave(await scene.join(scene.username, 60), 60);
      scene.pass(61);
      // The expired one holds the last place, though no reading shows it any more.
      await scene.limit(scene.username, (await scene.used(scene.username)) + 1);
      await scene.warm(scene.username);
      const admitted = await scene.spend(() => scene.admit(scene.metered, scene.username, scene.newClientId()));
      const spent = scene.spent();
      await scene.limit(scene.username, undefined);
      await scene.leave(admitted);
      return spent;
    },
  },
];

function checkAnswer(answer: ConnectDecision): void {
  checkRejected(answer);
}

/** Its session item is written, and then somebody else takes the last place. */
async function loseRace(scene: Scene): Promise<Spent> {
  const { username } = scene;
  const winners: Admitted[] = [];
  const answer = await scene.spend(() =>
    scene.interrupt(
      () => reject(scene),
      async () => winners.push(await scene.admit(scene.other, username, scene.newClientId())),
    ),
  );
  checkRejected(answer);
  const spent = scene.spent();
  for (const winner of winners) await scene.leave(winner);
  return spent;
}
