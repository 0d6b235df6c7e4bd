// A table with one deployment in it, and enough usernames for any page.

import { createTableAt } from '../../local/create-table.ts';
import { createDocumentClient } from '../../shared/adapters/dynamodb/common/client.ts';
import { sideBySide } from '../../shared/app/common/side-by-side.ts';
import { refreshRank } from '../../shared/app/usage/refresh-rank.ts';
import type { DeploymentId, Username } from '../../shared/domain/ids.ts';
import { type Ms, ms } from '../../shared/domain/time.ts';
import { nameOf, usernamesAtRest, writeItems } from '../fill/items.ts';
import { Meter } from '../meter/meter.ts';
import { type Ground, Scene, sceneStartsAt } from './scene.ts';

const deploymentId = 'bench' as DeploymentId;
/** Up to a hundred sessions each: rosters of up to 1 KB. */
const usedOf = (n: number): number => 1 + ((n * 7_919) % 97);

/** A table in memory, where units are metered. */
export function groundInMemory(): Ground {
  const meter = new Meter();
  return { tableName: 'bench', client: meter.client, otherClient: meter.bareClient, meter };
}

/** A new table on an engine, for what is timed there. */
export async function groundOn(endpoint: string, tableName: string): Promise<Ground & { close(): void }> {
  const client = createDocumentClient({ endpoint, requestTimeoutMs: 60_000 });
  await createTableAt(endpoint, tableName);
  return { tableName, client, otherClient: client, close: () => client.destroy() };
}

export interface Lists {
  readonly whitelist: boolean;
  readonly overrides: boolean;
}

const bothLists: Lists = { whitelist: true, overrides: true };

export interface PrepareOptions {
  readonly usernames: number;
  /** Connected sessions of the scene's username. */
  readonly held: number;
  /** What else is in the table before the scene begins. */
  readonly items?: (deploymentId: DeploymentId, username: Username, at: Ms) => Iterable<Record<string, unknown>>;
  /** Which lists of usernames are in use; both unless told, as the pages of usage need them. */
  readonly lists?: Lists;
  /** The scene's time, for who works beside it on a clock of its own. */
  readonly startAt?: Ms;
}

/** Usernames whose pages have all there is to read: a whitelist, limits of their own, rejections. */
const noted = 120;

async function note(scene: Scene, tableName: string, usernames: readonly Username[], lists: Lists): Promise<void> {
  const { other, deploymentId, at } = scene;
  const by = { actor: 'bench', at: at() };
  await scene.putLimit(undefined, lists.whitelist ? usernames : []);
  await sideBySide(usernames, 8, async (username) => {
    if (lists.overrides) await other.settings.putOverride(deploymentId, username, { kind: 'number', max: 3 }, by);
    const clientId = 'a-client-id-of-a-usual-length';
    const hours = [{ hour: ms(at() - (at() % 3_600_000)), count: 7 }];
    await other.rejectionStore.addRejections({
      sumId: `${tableName} ${username}`,
      deploymentId,
      username,
      reasons: [{ reason: 'quota', count: 7, lastAt: at(), clientId }],
      hours,
      last: [{ at: at(), clientId, reason: 'quota' }],
    });
  });
}

export async function prepareScene(
  ground: Ground,
  { usernames, held, items, lists = bothLists, startAt = sceneStartsAt }: PrepareOptions,
): Promise<Scene> {
  const { otherClient, tableName } = ground;
  const wakeAt = ms(startAt + 86_400_000);
  await writeItems(otherClient, tableName, usernamesAtRest(deploymentId, usernames, usedOf, wakeAt));
  const username = 'fleet-000001' as Username;
  if (items !== undefined) await writeItems(otherClient, tableName, items(deploymentId, username, startAt));
  const scene = new Scene({
    ground,
    deploymentId,
    username,
    startAt,
    overrides: lists.overrides,
    filled: { prefix: 'user-', middle: nameOf(Math.floor(usernames / 4)) },
  });
  await scene.prepare();
  await note(
    scene,
    tableName,
    Array.from({ length: Math.min(usernames, noted) }, (_, n) => nameOf(n)),
    lists,
  );
  for (let n = 0; n < held; n++) await scene.join(scene.username);
  // In the order by used, as whoever has been here for a minute.
  const { ranks, lifeCycle } = scene.other;
  await refreshRank({ store: lifeCycle.store, ranks }, deploymentId, username);
  return scene;
}
