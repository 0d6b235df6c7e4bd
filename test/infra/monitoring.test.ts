// Every alarm leads somewhere: to somebody who is told, and to a page that says what to do.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createEmfMeasure } from '../../shared/adapters/node/emf-metrics.ts';
import { measuredConnect } from '../../shared/app/measured-connect.ts';
import type { ConnectDecision } from '../../shared/domain/connect.ts';
import { ms } from '../../shared/domain/time.ts';
import type { Measures } from '../../shared/ports/metrics.ts';
import { render } from './grants.ts';
import { synthTemplates } from './synth.ts';

const { stateless } = synthTemplates();

interface AlarmResource {
  readonly AlarmDescription: string;
  readonly AlarmActions: readonly unknown[];
  readonly OKActions: readonly unknown[];
  readonly Namespace?: string;
  readonly MetricName?: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: unknown }[];
}

const alarms: readonly AlarmResource[] = Object.values(stateless.findResources('AWS::CloudWatch::Alarm')).map(
  ({ Properties }) => Properties,
);
const runbook = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');

test('every alarm has its entry in the runbook, and every entry its alarm', () => {
  const named = alarms.map((alarm) => /docs\/runbook\.md, "(\w+)"$/.exec(alarm.AlarmDescription)?.[1]);
  const entries = [...runbook.matchAll(/^## (\w+)$/gm)].map((match) => match[1]);
  expect(named.length).toBeGreaterThan(10);
  expect(named.sort()).toEqual(entries.sort());
});

test('every alarm tells somebody, also when it is over', () => {
  for (const alarm of alarms) {
    expect(alarm.AlarmActions.map(render)).toEqual(['MonitoringAlarms']);
    expect(alarm.OKActions.map(render)).toEqual(['MonitoringAlarms']);
  }
});

/** One line of the log for everything that is measured, as each component writes it. */
const written = (component: string): ReadonlySet<string> => {
  const lines: string[] = [];
  const measure = createEmfMeasure(component, { now: () => ms(1_000) }, (line) => lines.push(line));
  const all: Measures = {
    Admitted: 1,
    RejectedQuota: 1,
    RejectedCredentials: 1,
    RejectedUnavailable: 1,
    RejectedOther: 1,
    ConnectLatency: 12,
    LeaseChecks: 1,
    Freed: 1,
    Drift: 0,
    Ghosts: 0,
    SweepLag: 5,
    SweepFailed: 0,
    Connections: 3,
  };
  measure(all);
  const [line = ''] = lines;
  const { _aws: envelope, ...values } = JSON.parse(line);
  expect(values).toEqual({ component, ...all });
  const [{ Namespace, Dimensions, Metrics }] = envelope.CloudWatchMetrics;
  expect(envelope.Timestamp).toBe(1_000);
  expect(Dimensions).toEqual([['component']]);
  return new Set(Metrics.map((metric: { Name: string }) => `${Namespace} ${metric.Name}`));
};

test('what alarms and dashboard look at is what is written', () => {
  const known = written('sweeper');
  const ours = alarms.filter((alarm) => alarm.Namespace === 'Headcount');
  expect(ours.length).toBeGreaterThan(3);
  for (const alarm of ours) expect(known).toContain(`Headcount ${alarm.MetricName}`);
  const dashboard = JSON.stringify(stateless.findResources('AWS::CloudWatch::Dashboard'));
  for (const name of known) expect(dashboard).toContain(name.split(' ')[1]);
});

test('a decision is measured as what it was, and nobody is named', async () => {
  const lines: string[] = [];
  let now = 1_000;
  const clock = { now: () => ms(now) };
  const measure = createEmfMeasure('authorizer', clock, (line) => lines.push(line));
  const decided = async (decision: object): Promise<Readonly<Record<string, unknown>>> => {
    const connect = measuredConnect(
      async () => {
        now += 7;
        return decision as ConnectDecision;
      },
      measure,
      clock,
    );
    const request = { deploymentId: 'demo', username: 'alice', password: undefined, clientId: 'phone' };
    expect(await connect(request)).toBe(decision);
    const { _aws, component, ...values } = JSON.parse(lines.at(-1) ?? '{}');
    return values;
  };
  expect(await decided({ kind: 'admitted' })).toEqual({ Admitted: 1, ConnectLatency: 7 });
  const rejections = {
    quota_exceeded: 'RejectedQuota',
    bad_credentials: 'RejectedCredentials',
    unavailable: 'RejectedUnavailable',
    not_authorized: 'RejectedOther',
    client_id: 'RejectedOther',
    client_id_held: 'RejectedOther',
  };
  for (const [reason, name] of Object.entries(rejections))
    expect(await decided({ kind: 'rejected', reason })).toEqual({ [name]: 1, ConnectLatency: 7 });
  expect(lines.join()).not.toMatch(/alice|phone|demo/);
});
