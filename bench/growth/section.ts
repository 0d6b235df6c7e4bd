// Section `growth`: the same paths in larger and larger installations. Each size is a table of its own.

import { type Engine, startEngine } from '../../local/engine.ts';
import { systemClock } from '../../shared/adapters/node/clock.ts';
import { sideBySide } from '../../shared/app/common/side-by-side.ts';
import { wideAt } from '../../shared/config/constants.ts';
import type { DeploymentId, Username } from '../../shared/domain/ids.ts';
import { timeAuthorizer } from '../latency/authorizer.ts';
import { ratioRow } from '../latency/rounds.ts';
import type { Path } from '../paths/path.ts';
import { paths } from '../paths/paths.ts';
import { groundInMemory, groundOn, type PrepareOptions, prepareScene } from '../paths/prepare.ts';
import type { Scene } from '../paths/scene.ts';
import type { Row, Section } from '../section.ts';
import { type Grown, growthRows, type Measured } from './grown.ts';
import { sessionsAtRest, sessionsOf } from './items.ts';
import { useUsername } from './use.ts';

interface Dimension {
  /** As in "grows with …". */
  readonly by: string;
  readonly quick: readonly number[];
  readonly full: readonly number[];
  readonly prepare: (size: number) => Omit<PrepareOptions, 'startAt'>;
  readonly afterwards?: (scene: Scene, size: number) => Promise<void>;
  /** Whose CONNECTs are timed: those of the scene's username, or of others. */
  readonly timed?: 'its own' | 'others';
}

const few = { usernames: 200, held: 10 };

const dimensions: readonly Dimension[] = [
  {
    by: 'sessions of the deployment',
    quick: [100, 10_000],
    full: [100, 10_000, 1_000_000],
    prepare: (size) => ({ ...few, items: (id, _, at) => sessionsAtRest(id, size, at) }),
    timed: 'others',
  },
  {
    by: 'sessions of one username',
    quick: [10, 1_000],
    full: [10, 100, 1_000, 10_000],
    prepare: (size) => ({ usernames: 200, held: 0, items: (id, username, at) => sessionsOf(id, username, size, at) }),
    afterwards: useUsername,
    timed: 'its own',
  },
  {
    by: 'usernames of the deployment',
    quick: [100, 5_000],
    full: [100, 1_000, 10_000, 100_000],
    prepare: (size) => ({ usernames: size, held: 10 }),
  },
  {
    by: 'deployments',
    quick: [1, 100],
    full: [1, 100, 1_000],
    prepare: () => few,
    afterwards: addDeployments,
  },
];

/** Each with a session limit and a username that is connected. */
async function addDeployments(scene: Scene, count: number): Promise<void> {
  const ids = Array.from({ length: count - 1 }, (_, n) => `bench-${n}` as DeploymentId);
  await sideBySide(ids, 8, async (deploymentId) => {
    await scene.addDeployment(deploymentId, 'alice' as Username, 100);
    await scene.joinElsewhere(deploymentId, 'alice' as Username);
  });
}

/** What each path costs at one size, in memory. */
async function meterSize(
  { prepare, afterwards, timed }: Dimension,
  size: number,
): Promise<ReadonlyMap<Path, Measured>> {
  const scene = await prepareScene(groundInMemory(), prepare(size));
  await afterwards?.(scene, size);
  const wide = timed === 'its own' && size >= wideAt;
  const measured = new Map<Path, Measured>();
  // What has a username of its own makes no difference to the sessions of another.
  const concerned = paths.filter(({ alone }) => alone !== true || timed !== 'its own');
  for (const path of concerned) measured.set(path, { size, wide, spent: await path.run(scene) });
  return measured;
}

/** The authorizer's time at one size, on an engine. */
async function timeSize(engine: Engine, dimension: Dimension, size: number, full: boolean): Promise<Row> {
  const { by, prepare, afterwards, timed } = dimension;
  const tableName = `${by.replaceAll(' ', '-')}-${size}`;
  const ground = await groundOn(engine.endpoint, tableName);
  const scene = await prepareScene(ground, { ...prepare(size), startAt: systemClock.now() });
  await afterwards?.(scene, size);
  const { deploymentId, password } = scene;
  const limited = await scene.newUsername();
  await scene.join(limited);
  await scene.limit(limited, 1);
  const others = await Promise.all(Array.from({ length: 10 }, () => scene.newUsername()));
  ground.close();
  const times = await timeAuthorizer({
    endpoint: engine.endpoint,
    tableName,
    deploymentId,
    password,
    usernames: timed === 'its own' ? [scene.username] : others,
    full: limited,
    rounds: full ? 9 : 5,
    turns: full ? 20 : 8,
  });
  return ratioRow(times, 'new', 'bare', {
    what: `latency of a new session, to one bare transactional write, at ${size.toLocaleString('en-US')} ${by}`,
  });
}

async function measureDimension(
  dimension: Dimension,
  full: boolean,
  say: (line: string) => void,
): Promise<readonly Row[]> {
  const sizes = full ? dimension.full : dimension.quick;
  const metered: ReadonlyMap<Path, Measured>[] = [];
  for (const size of sizes) metered.push(await meterSize(dimension, size));
  say(`by ${dimension.by}: metered`);
  const grown = paths.flatMap((path): Grown[] => {
    const at = metered.flatMap((one) => one.get(path) ?? []);
    return at.length === 0 ? [] : [{ path, at }];
  });
  return [...growthRows(dimension.by, grown), ...(await timeDimension(dimension, sizes, full))];
}

async function timeDimension(dimension: Dimension, sizes: readonly number[], full: boolean): Promise<readonly Row[]> {
  if (dimension.timed === undefined) return [];
  // An engine of its own: what the last dimension left behind makes none of its requests slower.
  const engine = await startEngine({ dataDir: ':memory:' });
  try {
    const rows: Row[] = [];
    for (const size of sizes) rows.push(await timeSize(engine, dimension, size, full));
    return rows;
  } finally {
    await engine.stop();
  }
}

export const section: Section = {
  name: 'growth',
  title: 'Growth',
  async run({ full, say }) {
    const rows: Row[] = [];
    for (const dimension of dimensions) rows.push(...(await measureDimension(dimension, full, say)));
    return {
      rows,
      notes: [
        'Growth is how many times as many units, written and read, a path costs where it costs most as it costs at the smallest size.',
        `A username with ${wideAt} sessions or more has a wide roster, which costs what ADR 6 says; its figures are of one in use, whose lanes are open. Once in up to 256 new sessions a lane is given its reserve, by a transaction more.`,
        full
          ? ''
          : 'A quick run leaves out the largest sizes: 1,000,000 sessions, 100,000 usernames, 1,000 deployments.',
      ].filter((note) => note !== ''),
    };
  },
};
