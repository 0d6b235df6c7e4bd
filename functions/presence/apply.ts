// Presence messages from SQS: what the front door reports, the broker's own events, ranks to be refreshed, and
// passwords to be stored under a newer key. Messages of one client id in a batch are applied one after the other,
// different ones side by side.

import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { countAdmitted } from '../../shared/app/admission/outage.ts';
import { parseBrokerEvent } from '../../shared/app/presence/broker-event.ts';
import { applyBrokerEvent } from '../../shared/app/presence/event.ts';
import { applyDoorReport, type ReportPorts } from '../../shared/app/presence/report.ts';
import type { Applied } from '../../shared/app/presence/step.ts';
import { type RefreshPorts, refreshRank } from '../../shared/app/usage/refresh-rank.ts';
import { ms } from '../../shared/domain/time.ts';
import { StoreUnavailable } from '../../shared/ports/common/errors.ts';
import type { Log } from '../../shared/ports/common/log.ts';
import type { SessionStore } from '../../shared/ports/common/session-store.ts';
import type { CredentialStore } from '../../shared/ports/credentials/credentials.ts';
import { parseAdmitted } from './admitted-message.ts';
import { parseDoorReport } from './door-report.ts';
import { parseRankRefresh } from './rank-refresh.ts';
import { parseRenewedHash } from './renewed-hash.ts';

export interface PresencePorts extends ReportPorts, RefreshPorts {
  /** One that asks for ranks whenever it changes a count. */
  readonly store: SessionStore;
  readonly credentials: Pick<CredentialStore, 'renewHash'>;
  readonly log: Log;
  /**
   * Puts a body into the queue again, to come back after some seconds. Absent: a message that fails waits in the queue,
   * which gives it up after a few deliveries.
   */
  readonly putBack?: (body: string) => Promise<void>;
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
      if (await waitsElsewhere(ports, record, error)) continue;
      ports.log.warn('a presence message was not applied and will come again', { error: String(error) });
      failed.push(record.messageId);
    }
  }
  return failed;
}

/**
 * While the database does not answer, a message costs no delivery: an outage is longer than any number of them, and a
 * client that was admitted meanwhile has nothing but its message to be counted by (S17).
 */
async function waitsElsewhere(ports: PresencePorts, record: SQSRecord, error: unknown): Promise<boolean> {
  if (!(error instanceof StoreUnavailable) || ports.putBack === undefined) return false;
  return ports.putBack(record.body).then(
    () => true,
    () => false,
  );
}

async function apply(ports: PresencePorts, record: SQSRecord): Promise<Applied> {
  const body: unknown = JSON.parse(record.body);
  const report = parseDoorReport(body);
  if (report !== undefined) return applyDoorReport(ports, report);
  const admitted = parseAdmitted(body);
  if (admitted !== undefined) return countAdmitted(ports, admitted);
  const refresh = parseRankRefresh(body);
  if (refresh !== undefined) {
    await refreshRank(ports, refresh.deploymentId, refresh.username);
    return 'done';
  }
  const renewed = parseRenewedHash(body);
  if (renewed !== undefined) {
    await ports.credentials.renewHash(renewed);
    return 'done';
  }
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
