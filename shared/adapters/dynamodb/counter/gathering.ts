// Taking reserves back from the lanes of a wide roster (reserves.ts), so that one item says what is counted: where the
// roster is full, where its limit changes, and at rest.

import type { DeploymentId, Username } from '../../../domain/ids.ts';
import { contended } from '../../../ports/common/errors.ts';
import { backOffAtRandom } from '../common/back-off.ts';
import { type Key, laneKey } from '../common/keys.ts';
import { transact, transactOnce, type Writes } from '../common/transaction.ts';
import type { Table } from '../settings/settings-by-username.ts';
import type { Lane, LaneItems } from './lane-items.ts';
import { noLaneIsOpen, removeEmptyRoster, type StoredRoster } from './roster-item.ts';

const maxTries = 20;
/** About twice as long as a transaction of all lanes takes. */
const crowdMs = 80;

export type Gathering = ReturnType<typeof createGathering>;

export function createGathering(table: Table, items: LaneItems) {
  const { tableName } = table;
  const pause = table.backOff ?? backOffAtRandom;
  const { rosterKey, readRosterItem, readLanes } = items;

  /**
   * Makes a lane one of the open ones, without a cap: it may gather what is freed. Both items in one step, because a
   * lane with room that nobody looks for would be lost to the username.
   */
  async function list(id: DeploymentId, username: Username, lane: number): Promise<void> {
    await transact(table, [
      {
        Update: {
          TableName: tableName,
          Key: rosterKey(id, username),
          UpdateExpression: 'ADD openLanes :one',
          ConditionExpression: 'used >= :one',
          ExpressionAttributeValues: { ':one': 1 },
        },
      },
      {
        Update: {
          TableName: tableName,
          Key: laneKey(id, username, lane),
          UpdateExpression: 'SET listed = :one',
          ConditionExpression: 'attribute_not_exists(listed) AND used >= :one',
          ExpressionAttributeValues: { ':one': 1 },
        },
      },
    ]);
  }

  /**
   * Gives back every reserve and closes the lanes: afterwards the roster item's `used` is what is counted. First all of
   * them in one step, then, where they are being written, one by one. Of a crowd that finds the roster full all want the
   * same: whoever meets another waits a moment, and whoever is refused looks first whether it is done. `cap`: what the
   * roster is held against from now on.
   */
  async function gather(id: DeploymentId, username: Username, cap?: number): Promise<StoredRoster> {
    for (let tries = 0; tries < maxTries; tries++) {
      const roster = await readRosterItem(id, username);
      if (roster.open <= 0) {
        if (cap === undefined || roster.cap === undefined || roster.cap === cap)
          return removeEmpty(id, username, roster);
        await changeCap(id, username, roster.cap, cap);
        continue;
      }
      const listed = (await readLanes(id, username)).filter((lane) => lane.listed);
      const outcome = await close(id, username, listed);
      if (outcome === 'done') continue;
      if (outcome === 'met others') await pause(crowdMs * 2 ** Math.min(tries, 3));
      else if (tries > 0) for (const lane of listed) await close(id, username, [lane]);
    }
    throw contended('others kept writing the lanes of this username');
  }

  /**
   * Invariant: I1: what the roster item gives up is what the lanes lose, in one step.
   * Race: a place counted or freed in one of them since they were seen refuses all of it.
   * On crash: nothing is half done, and whoever comes next gathers.
   */
  async function close(
    id: DeploymentId,
    username: Username,
    lanes: readonly Lane[],
  ): Promise<'done' | 'refused' | 'met others'> {
    if (lanes.length === 0) return 'done';
    const room = lanes.reduce((sum, lane) => sum + lane.room, 0);
    const outcome = await transactOnce(table, [
      {
        Update: {
          TableName: tableName,
          Key: rosterKey(id, username),
          UpdateExpression: 'ADD used :back, lent :back, openLanes :lanes',
          ConditionExpression: 'openLanes >= :count',
          ExpressionAttributeValues: { ':back': -room, ':lanes': -lanes.length, ':count': lanes.length },
        },
      },
      ...lanes.map((lane) => closing(laneKey(id, username, lane.lane), lane)),
    ]);
    return outcome?.kind ?? 'met others';
  }

  function closing(key: Key, lane: Lane): Writes[number] {
    const seen = { TableName: tableName, Key: key };
    const ConditionExpression = 'room = :room AND used = :used AND listed = :one';
    const values = { ':room': lane.room, ':used': lane.used, ':one': 1 };
    if (lane.used <= 0) return { Delete: { ...seen, ConditionExpression, ExpressionAttributeValues: values } };
    return {
      Update: {
        ...seen,
        UpdateExpression: 'SET room = :zero REMOVE listed, cap',
        ConditionExpression,
        ExpressionAttributeValues: { ...values, ':zero': 0 },
      },
    };
  }

  /** Only while no lane is open, so that none has a reserve that was given by another limit. */
  async function changeCap(id: DeploymentId, username: Username, from: number, to: number): Promise<void> {
    await items.update(rosterKey(id, username), {
      UpdateExpression: 'SET cap = :to',
      ConditionExpression: `cap = :from AND ${noLaneIsOpen}`,
      ExpressionAttributeValues: { ':from': from, ':to': to, ':zero': 0 },
    });
  }

  async function removeEmpty(id: DeploymentId, username: Username, roster: StoredRoster): Promise<StoredRoster> {
    if (roster.roster.wakeAt !== undefined && roster.roster.used <= 0) await removeEmptyRoster(table, id, username);
    return roster;
  }

  return { list, gather };
}
