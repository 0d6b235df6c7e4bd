// Threshold notices are for who asks for them: who does not gets no permission and no variable that would do anything.

import { describe, expect, test } from 'vitest';
import { grantsOfRole, propertiesOf } from './grants.ts';
import { synthTemplates } from './synth.ts';

const counting = ['PresenceFunction', 'Sweeper', 'Reconciler'];
const others = ['Authorizer', 'Api', 'TokenKeys', 'OperationsWorker'];

function busOf(template: ReturnType<typeof synthTemplates>['core'], id: string): unknown {
  const { Environment } = propertiesOf(template, 'AWS::Lambda::Function', id) as {
    readonly Environment: { readonly Variables: Readonly<Record<string, unknown>> };
  };
  return Environment.Variables.NOTICE_BUS;
}

describe('where nobody asked', () => {
  const { core } = synthTemplates();

  test.each([...counting, ...others])('%s may tell nobody', (id) => {
    expect(grantsOfRole(core, `${id}Role`).filter((line) => line.startsWith('events:'))).toEqual([]);
    expect([undefined, 'none']).toContain(busOf(core, id));
  });
});

describe('where a bus was chosen', () => {
  const { core } = synthTemplates({ noticeBus: 'alerts' });
  const may = `events:PutEvents arn:AWS::Partition:events:AWS::Region:AWS::AccountId:event-bus/alerts if {"StringEquals":{"events:source":"headcount"}}`;

  test.each(counting)('%s may put events on that bus, as this product only', (id) => {
    expect(grantsOfRole(core, `${id}Role`).filter((line) => line.startsWith('events:'))).toEqual([may]);
    expect(busOf(core, id)).toBe('alerts');
  });

  test.each(others)('%s may tell nobody, the connect path least of all', (id) => {
    expect(grantsOfRole(core, `${id}Role`).filter((line) => line.startsWith('events:'))).toEqual([]);
    expect(busOf(core, id)).toBeUndefined();
  });
});

test.each(['', 'none', 'no', 'false', 'off', false, 'arn:aws:events:eu-central-1:111111111111:event-bus/a b'])(
  'a name that is no name of a bus, or means none, ends the synthesis: %j',
  (noticeBus) => {
    expect(() => synthTemplates({ noticeBus })).toThrow('noticeBus');
  },
);
