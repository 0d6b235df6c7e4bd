// Presence messages from SQS: what the front door reports, and the broker's own events. Messages of one client id in a
// batch are applied one after the other, different ones side by side.

import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { parseBrokerEvent } from '../../shared/app/broker-event.ts';
import { type Applied, applyBrokerEvent, applyDoorReport, type LifeCyclePorts } from '../../shared/app/life-cycle.ts';
import { ms } from '../../shared/domain/time.ts';
import type { Log } from '../../shared/ports/log.ts';
import { parseDoorReport } from './door-report.ts';

export interface PresencePorts extends LifeCyclePorts {
  readonly log: Log;
}

/** After this many deliveries the front door's own report is not waited for any longer. */
const doorSilentReceives = 3;

export async function applyPresence(ports: PresencePorts, event: SQSEvent): Promise<SQSBatchResponse> {
  const byClient = new Map<string, SQSRecord[]>();
  for (const record of event.Records) {
    const key = clientIdOf(record.body);
    byClient.set(key, [...(byClient.get(key) ?? []), record]);
  }
  const failed = await Promise.all([...byClient.values()].map((records) => applyInTurn(ports, records)));
  return { batchItemFailures: failed.flat().map((itemIdentifier) => ({ itemIdentifier })) };
}

async function applyInTurn(ports: PresencePorts, records: readonly SQSRecord[]): Promise<string[]> {
  const failed: string[] = [];
  for (const record of records) {
    try {
      // "later" is a failure to SQS: the message comes again after its visibility time-out.
      if ((await apply(ports, record)) === 'later') failed.push(record.messageId);
    } catch (error) {
      ports.log.warn('a presence message was not applied and will come again', { error: String(error) });
      failed.push(record.messageId);
    }
  }
  return failed;
}

async function apply(ports: PresencePorts, record: SQSRecord): Promise<Applied> {
  const body: unknown = JSON.parse(record.body);
  const report = parseDoorReport(body);
  if (report !== undefined) return applyDoorReport(ports, report);
  const received = Number(record.attributes.SentTimestamp);
  const event = parseBrokerEvent(body, Number.isFinite(received) && received > 0 ? ms(received) : ports.clock.now());
  const receives = Number(record.attributes.ApproximateReceiveCount);
  if (event.ok) return applyBrokerEvent(ports, event.value, receives >= doorSilentReceives);
  // Connections that are not this product's pass through the same rule; they are nobody's business here.
  ports.log.info('a presence message was left alone', { problem: event.problem });
  return 'done';
}

function clientIdOf(body: string): string {
  const match = /"clientId":"((?:[^"\\]|\\.)*)"/.exec(body);
  return match?.[1] ?? body;
}
