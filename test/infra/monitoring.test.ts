// Every alarm leads somewhere: to somebody who is told, and to a page that says what to do.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createEmfMeasure } from '../../shared/adapters/node/emf-metrics.ts';
import { measuredConnect } from '../../shared/app/admission/measured-connect.ts';
import { environmentOf } from '../../shared/config/env.ts';
import type { ConnectDecision } from '../../shared/domain/connect.ts';
import { ms } from '../../shared/domain/time.ts';
import type { Measures } from '../../shared/ports/common/metrics.ts';
import { propertiesOf, render } from './grants.ts';
import { synthTemplates, withFrontDoor } from './synth.ts';

const { state, core, web, frontDoor, console: site } = synthTemplates(withFrontDoor);
if (frontDoor === undefined || site === undefined) throw new Error('there is no front door, or no console');
const templates = [state, core, web, frontDoor, site];

interface AlarmResource {
  readonly AlarmDescription: string;
  readonly AlarmActions: readonly unknown[];
  readonly OKActions: readonly unknown[];
  readonly Namespace?: string;
  readonly MetricName?: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: unknown }[];
  readonly Metrics?: readonly {
    readonly Expression?: string;
    readonly MetricStat?: { readonly Metric: { readonly MetricName: string } };
  }[];
  readonly EvaluationPeriods: number;
  readonly TreatMissingData: string;
}

const alarms: readonly AlarmResource[] = templates.flatMap((template) =>
  Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(({ Properties }) => Properties),
);
const nameOf = (alarm: AlarmResource): string | undefined =>
  /docs\/runbook\.md, "(\w+)"$/.exec(alarm.AlarmDescription)?.[1];
const runbook = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');

test('every alarm has its entry in the runbook, and every entry its alarm', () => {
  const named = alarms.map(nameOf);
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

test('the topic takes what alarms of this account tell it, and nothing else from outside', () => {
  const { PolicyDocument } = propertiesOf(core, 'AWS::SNS::TopicPolicy', 'MonitoringAlarmsPolicy') as {
    readonly PolicyDocument: { readonly Statement: readonly Readonly<Record<string, unknown>>[] };
  };
  const allowed = PolicyDocument.Statement.filter(({ Effect }) => Effect === 'Allow');
  expect(allowed).toMatchObject([
    {
      Action: 'sns:Publish',
      Principal: { Service: 'cloudwatch.amazonaws.com' },
      Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
    },
  ]);
  const conditions = allowed.map(
    ({ Condition }) => Condition as { readonly ArnLike: Readonly<Record<string, unknown>> },
  );
  expect(conditions.map(({ ArnLike }) => render(ArnLike['aws:SourceArn'])).join()).toBe(
    'arn:AWS::Partition:cloudwatch:AWS::Region:AWS::AccountId:alarm:*',
  );
});

const watched: Readonly<Record<string, { readonly metric: string; readonly of?: string }>> = {
  AuthorizerErrors: { metric: 'Errors', of: 'Authorizer' },
  AuthorizerThrottled: { metric: 'Throttles', of: 'Authorizer' },
  Unavailable: { metric: 'RejectedUnavailable', of: 'authorizer' },
  ConnectSlow: { metric: 'ConnectLatency', of: 'authorizer' },
  PresenceLate: { metric: 'ApproximateAgeOfOldestMessage', of: 'PresenceQueue.QueueName' },
  PresenceDeadLetters: { metric: 'ApproximateNumberOfMessagesVisible', of: 'PresenceDeadLetters.QueueName' },
  PresenceErrors: { metric: 'Errors', of: 'PresenceFunction' },
  PresenceLost: { metric: 'IncomingLogEvents', of: 'PresenceLost' },
  SweeperBehind: { metric: 'SweepLag', of: 'sweeper' },
  SweeperFails: { metric: 'SweepFailed', of: 'sweeper' },
  Drift: { metric: 'Drift', of: 'reconciler' },
  Ghosts: { metric: 'Ghosts', of: 'reconciler' },
  OperationsErrors: { metric: 'Errors', of: 'OperationsWorker' },
  OperationsDeadLetters: { metric: 'ApproximateNumberOfMessagesVisible', of: 'OperationsDeadLetters.QueueName' },
  TokenKeysErrors: { metric: 'Errors', of: 'TokenKeys' },
  ApiErrors: { metric: '5xx', of: 'HttpApi' },
  ConsoleApiErrors: { metric: '5xx', of: 'HttpApi' },
  FrontDoorTasks: { metric: 'DesiredTaskCount - RunningTaskCount' },
  FrontDoorUnhealthy: { metric: 'UnHealthyHostCount' },
  FrontDoorUnavailable: { metric: 'RejectedUnavailable', of: 'frontdoor' },
  FrontDoorSlow: { metric: 'ConnectLatency', of: 'frontdoor' },
  FrontDoorFull: { metric: 'Connections', of: 'frontdoor' },
};

const metricOf = ({ MetricName, Metrics = [] }: AlarmResource): string =>
  MetricName ?? Metrics.flatMap(({ MetricStat }) => MetricStat?.Metric.MetricName ?? []).join(' - ');

test.each(Object.entries(watched))('%s watches what its name says', (name, { metric, of }) => {
  const [alarm, ...more] = alarms.filter((each) => nameOf(each) === name);
  expect(more).toEqual([]);
  expect(alarm && metricOf(alarm)).toBe(metric);
  if (of !== undefined) expect(alarm?.Dimensions?.map(({ Value }) => render(Value))).toEqual([of]);
});

test('no alarm is missing from this list', () => {
  expect(alarms.map(nameOf).sort()).toEqual(Object.keys(watched).sort());
});

test('the alarm of missing tasks subtracts what runs from what should', () => {
  const [alarm] = alarms.filter((each) => nameOf(each) === 'FrontDoorTasks');
  expect(alarm?.Metrics?.find(({ Expression }) => Expression !== undefined)?.Expression).toBe('wanted - running');
});

test('whose silence is a failure is not taken for healthy when it is silent', () => {
  const breaching = alarms.filter((alarm) => alarm.TreatMissingData === 'breaching').map(nameOf);
  expect(breaching.sort()).toEqual(['FrontDoorTasks', 'Ghosts', 'SweeperBehind']);
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
    Departed: 1,
    ConnectLatency: 12,
    LeaseChecks: 1,
    Freed: 1,
    Drift: 0,
    Ghosts: 0,
    SweepLag: 5,
    SweepFailed: 0,
    Retries: 1,
    Conflicts: 1,
    Connections: 3,
    Unadmitted: 2,
    Shed: 0,
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
  const dashboard = JSON.stringify(core.findResources('AWS::CloudWatch::Dashboard'));
  for (const name of known) expect(dashboard).toContain(name.split(' ')[1]);
});

const tableUsers = Object.entries(environmentOf).flatMap(([name, variables]) =>
  variables.some((variable) => variable === 'TABLE_NAME') ? [name] : [],
);

test('the dashboard shows what an operator asks for, each of everybody who has it', () => {
  const { DashboardBody } = propertiesOf(core, 'AWS::CloudWatch::Dashboard', 'MonitoringDashboard');
  const { widgets }: { widgets: readonly { properties: { metrics?: readonly (readonly unknown[])[] } }[] } = JSON.parse(
    render(DashboardBody),
  );
  const shown = widgets.flatMap(({ properties }) =>
    (properties.metrics ?? []).map((metric) => metric.filter((word) => typeof word === 'string').join(' ')),
  );
  const own = (name: string, ...components: readonly string[]): readonly string[] =>
    components.map((component) => `Headcount ${name} component ${component}`);
  const doors = ['authorizer', 'frontdoor'];
  const decisions = ['Admitted', 'RejectedQuota', 'RejectedCredentials', 'RejectedUnavailable', 'RejectedOther'];
  const callers = [...tableUsers, 'frontdoor'];
  const wanted = [
    ...decisions.flatMap((name) => own(name, ...doors)),
    ...own('ConnectLatency', ...doors),
    ...['Departed', 'Connections', 'Unadmitted', 'Shed'].flatMap((name) => own(name, 'frontdoor')),
    'AWS/Lambda Errors FunctionName Authorizer',
    'AWS/Lambda Throttles FunctionName Authorizer',
    ...own('Retries', ...callers),
    ...own('Conflicts', ...callers),
    ...own('LeaseChecks', 'sweeper'),
    ...own('Drift', 'sweeper', 'reconciler'),
    ...own('SweepLag', 'sweeper'),
    ...['PresenceQueue', 'OperationsQueue'].map(
      (id) => `AWS/SQS ApproximateAgeOfOldestMessage QueueName ${id}.QueueName`,
    ),
    ...['PresenceDeadLetters', 'OperationsDeadLetters'].map(
      (id) => `AWS/SQS ApproximateNumberOfMessagesVisible QueueName ${id}.QueueName`,
    ),
  ];
  expect(shown).toEqual(expect.arrayContaining(wanted));
  // Whoever has the database called writes the metric under the name that is shown.
  const writers = [...tableUsers.map((name) => `functions/${name}/handler.ts`), 'frontdoor/main.ts'];
  for (const path of writers) {
    const source = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
    expect(source, path).toMatch(/create(Document|Sdk)Client\(\{[^}]*\bmeasure\b/);
    const component = path.split('/')[path.startsWith('functions') ? 1 : 0];
    expect(source, path).toContain(`createEmfMeasure('${component}', `);
  }
});

test('a decision is measured as what it was, and nobody is named', async () => {
  const lines: string[] = [];
  let now = 1_000;
  const clock = { now: () => ms(now) };
  const measure = createEmfMeasure('authorizer', clock, (line) => lines.push(line));
  const decided = async (decision: object, left?: AbortSignal): Promise<Readonly<Record<string, unknown>>> => {
    const connect = measuredConnect(
      async () => {
        now += 7;
        return decision as ConnectDecision;
      },
      measure,
      clock,
    );
    const request = { deploymentId: 'demo', username: 'alice', password: undefined, clientId: 'phone' };
    expect(await connect(left === undefined ? request : { ...request, left })).toBe(decision);
    const { _aws, component, ...values } = JSON.parse(lines.at(-1) ?? '{}');
    return values;
  };
  expect(await decided({ kind: 'admitted' })).toEqual({ Admitted: 1, ConnectLatency: 7 });
  const rejections = {
    quota_exceeded: 'RejectedQuota',
    bad_credentials: 'RejectedCredentials',
    unavailable: 'RejectedUnavailable',
    suspended: 'RejectedOther',
    blocked: 'RejectedOther',
    client_id: 'RejectedOther',
    client_id_held: 'RejectedOther',
  };
  for (const [reason, name] of Object.entries(rejections))
    expect(await decided({ kind: 'rejected', reason })).toEqual({ [name]: 1, ConnectLatency: 7 });
  // No alarm is about clients that left by themselves.
  expect(await decided({ kind: 'rejected', reason: 'unavailable' }, AbortSignal.abort())).toEqual({ Departed: 1 });
  expect(lines.join()).not.toMatch(/alice|phone|demo/);
});
