// What a million of something costs, line by line.

import { bytesOfSession, indexEntriesOfSession, type Metered, metered } from './metered.ts';
import { cloudwatch, dynamodb, iotCore, lambda, sqs } from './prices.ts';

/** What it is for, US dollars, and how it comes about. */
export type Line = readonly [what: string, dollars: number, because: string];

/** Assumptions, none of them measured on AWS: durations in seconds, memory in GB as deployed, sizes in bytes. */
const assumed = {
  authorizer: { seconds: 0.035, gb: 1_769 / 1_024 },
  presence: { seconds: 0.1, gb: 0.5, messagesOfBatch: 10 },
  logOfConnect: 800,
};
const gb = 1e9;

const plus = (...parts: readonly Metered[]): Metered => ({
  write: parts.reduce((sum, part) => sum + part.write, 0),
  read: parts.reduce((sum, part) => sum + part.read, 0),
});

const life = plus(metered.newSession, metered.confirmed, metered.gone);
const comingBack = plus(metered.reconnect, metered.confirmed, metered.retained);

/**
 * A million CONNECTs of one kind, straight to IoT Core; `events`: presence events that each of them leads to, so many of
 * which come to the function together.
 */
function million(units: Metered, events: number, together = assumed.presence.messagesOfBatch): readonly Line[] {
  const { authorizer, presence, logOfConnect } = assumed;
  const batches = events / together;
  const run = ({ seconds, gb: memory }: { seconds: number; gb: number }): number =>
    lambda.millionRequests + 1e6 * seconds * memory * lambda.gbSecond;
  const toQueue = events + 2 * batches;
  const always: readonly Line[] = [
    ['DynamoDB, writes', units.write * dynamodb.millionWriteUnits, `${units.write} units`],
    ['DynamoDB, reads', units.read * dynamodb.millionReadUnits, `${units.read} units`],
    [
      'Lambda, authorizer',
      run(authorizer),
      `${authorizer.seconds * 1_000} ms of ${authorizer.gb.toFixed(2)} GB (assumed)`,
    ],
    ['IoT Core, the CONNECT', iotCore.millionMessages, 'metered as a message'],
    ['CloudWatch Logs', ((1e6 * logOfConnect) / gb) * cloudwatch.logGb, `${logOfConnect} bytes (assumed)`],
  ];
  if (events === 0) return always;
  const rule = iotCore.millionRulesTriggered + iotCore.millionRuleActions;
  return [
    ...always,
    ['IoT Core, rule and action', events * rule, `${events} events`],
    ['SQS', toQueue * sqs.millionRequests, `${events} messages, read and deleted ten at a time`],
    [
      'Lambda, presence',
      batches * run(presence),
      `${presence.seconds * 1_000} ms of ${presence.gb} GB a batch (assumed)`,
    ],
  ];
}

export const lifeLines = (): readonly Line[] => million(life, 2);
/** Where so few come that each event is read, handled and deleted by itself. */
export const lonelyLifeLines = (): readonly Line[] => million(life, 2, 1);
export const comingBackLines = (): readonly Line[] => million(comingBack, 2);
export const rejectedLines = (): readonly Line[] => million(metered.rejected, 0);

const daysOfMonth = 30;

/** What the reconciler reads in a run of a minute at its most: items, of which every second is a session. */
const itemsOfRun = 8_000;
const minutesOfMonth = 43_800;

/** The reconciler where it never comes to its end: usernames of one session each are the most of them. */
function reconciling(): number {
  const bytes = (itemsOfRun / 2) * (bytesOfSession.session + bytesOfSession.owner);
  const scanned = bytes / 4_096 / 2;
  const units = scanned + (itemsOfRun / 2) * metered.recounted.read;
  return ((minutesOfMonth * units) / 1e6) * dynamodb.millionReadUnits;
}

/** A million sessions that are retained for a month. */
export function retainedLines(): readonly Line[] {
  const entries = 2 + indexEntriesOfSession.count;
  const bytes =
    bytesOfSession.session +
    bytesOfSession.owner +
    indexEntriesOfSession.count * indexEntriesOfSession.bytes +
    entries * dynamodb.bytesOfEntry;
  const stored = (1e6 * bytes) / gb;
  return [
    ['storage', stored * dynamodb.gbMonth, `${bytes} bytes each, index entries included`],
    ['backup', stored * dynamodb.backupGbMonth, 'point-in-time recovery'],
    ['writes at rest', 0, 'nobody writes to a session that nothing happens to'],
    [
      'reconciler, at most',
      reconciling(),
      `reads ${itemsOfRun / 2} sessions a minute without a pause, however many there are; of usernames with one session each`,
    ],
    [
      'each coming back once a day',
      daysOfMonth * total(comingBackLines()),
      `${daysOfMonth} times a reconnect as above, Lambda and IoT Core included`,
    ],
  ];
}

export const total = (lines: readonly Line[]): number => lines.reduce((sum, [, dollars]) => sum + dollars, 0);

/** A million minutes that devices are connected: IoT Core's, whatever this product does. */
export const connectivity = iotCore.millionMinutesConnected;
