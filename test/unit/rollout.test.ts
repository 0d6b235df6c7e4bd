// How many tasks of the front door a release replaces at a time, and what becomes of the release where ECS does not say.

import { describe, expect, test } from 'vitest';
import { decideRollout } from '../../functions/rollout/decide.ts';
import { decideMaximumPercent } from '../../functions/rollout/maximum-percent.ts';
import { CustomResourceRefusal } from '../../shared/adapters/aws/custom-resource.ts';

describe('a release replaces a tenth of the tasks at a time, one at least', () => {
  /** ECS rounds down. */
  const atATime = (tasks: number): number => Math.floor((tasks * decideMaximumPercent(tasks)) / 100) - tasks;

  test.each([
    [1, 1],
    [2, 1],
    [3, 1],
    [10, 1],
    [20, 2],
    [30, 3],
    [100, 10],
    [1_000, 100],
  ])('of %i: %i', (tasks, more) => {
    expect(atATime(tasks)).toBe(more);
  });

  test('for any number of tasks, and none gets stuck', () => {
    for (let tasks = 1; tasks <= 2_000; tasks += 1) expect(atATime(tasks)).toBe(Math.max(1, Math.floor(tasks / 10)));
  });

  test('of a service that was scaled to nothing as of one with a task', () => {
    expect(decideMaximumPercent(0)).toBe(200);
  });
});

describe('the answer', () => {
  const request = { requestType: 'Update', properties: { Cluster: 'c', MinTasks: '2' }, oldProperties: {} } as const;
  const once = { retryMs: 0, tries: 1 };

  test('goes by the tasks that there are, not by the fewest that there may be', async () => {
    const { data } = await decideRollout({ ...once, desiredCount: async () => 100 }, request);
    expect(data).toEqual({ MaximumPercent: '110' });
  });

  test('goes by the fewest where there is no service yet', async () => {
    const { data } = await decideRollout({ ...once, desiredCount: async () => undefined }, request);
    expect(data).toEqual({ MaximumPercent: '150' });
  });

  test('waits for a role that does not hold its rights yet', async () => {
    let asked = 0;
    const desiredCount = async (): Promise<number> => {
      asked += 1;
      if (asked < 3) throw new Error('ListServices answered 400 AccessDeniedException');
      return 20;
    };
    expect((await decideRollout({ retryMs: 0, tries: 3, desiredCount }, request)).data).toEqual({
      MaximumPercent: '110',
    });
  });

  test('is a refusal that says why where ECS does not tell: a guess would have too many clients come back, or none', async () => {
    const desiredCount = async () => Promise.reject(new Error('ListServices answered 400 AccessDeniedException'));
    const refused = decideRollout({ retryMs: 0, tries: 2, desiredCount }, request);
    await expect(refused).rejects.toThrow(CustomResourceRefusal);
    await expect(refused).rejects.toThrow(/none of them was replaced \(ListServices answered 400 AccessDenied/);
  });

  test.each([[{}], [{ Cluster: 'c' }], [{ Cluster: 'c', MinTasks: '0' }]])('refuses %j', async (properties) => {
    const desiredCount = async () => 1;
    await expect(decideRollout({ ...once, desiredCount }, { ...request, properties })).rejects.toThrow('must be given');
  });
});
