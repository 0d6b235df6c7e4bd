// Presence messages from SQS: what the front door reports, the broker's own events, ranks to be refreshed, and
// passwords to be stored under a newer key. Messages of one client id in a batch are applied one after the other,
// different ones side by side.

import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { countAdmitted } from '../../shared/app/admission/outage.ts';
import { applyBrokerEvent } from '../../shared/app/presence/event.ts';
import { createHeld, type Held } from '../../shared/app/presence/held.ts';
import { applyDoorReport, type ReportPorts } from '../../shared/app/presence/report.ts';
import type { Applied } from '../../shared/app/presence/step.ts';
import { type RefreshPorts, refreshRank } from '../../shared/app/usage/refresh-rank.ts';
import { StoreUnavailable } from '../../shared/ports/common/errors.ts';
import type { Log } from '../../shared/ports/common/log.ts';
import type { SessionStore } from '../../shared/ports/common/session-store.ts';
import type { CredentialStore } from '../../shared/ports/credentials/credentials.ts';
import { type Message, readMessage } from './read-message.ts';

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
  const failed: string[] = [];
  const groups = new Map<string, Received[]>();
  for (const record of event.Records) {
    try {
      const received = { record, message: readMessage(record, ports.clock) };
      const key = keyOf(received);
      groups.set(key, [...(groups.get(key) ?? []), received]);
    } catch (error) {
      warn(ports, error);
      failed.push(record.messageId);
    }
  }
  const later = await Promise.all([...groups.values()].map((group) => applyInTurn(ports, group)));
  return { batchItemFailures: [...failed, ...later.flat()].map((itemIdentifier) => ({ itemIdentifier })) };
}

interface Received {
  readonly record: SQSRecord;
  readonly message: Message;
}

function keyOf({ record, message }: Received): string {
  if (message.kind !== 'report' && message.kind !== 'admitted' && message.kind !== 'event') return record.messageId;
  return `${message.told.deploymentId}\n${message.told.clientId}`;
}

/**
 * The messages of one client id. The front door's reports come before an end that the broker tells: they are exact, and
 * most of its events say nothing new then, and cost no reading of their own.
 */
async function applyInTurn(ports: PresencePorts, group: readonly Received[]): Promise<string[]> {
  const inTurn = [...group].sort((a, b) => turnOf(a) - turnOf(b) || byEnd(a, b));
  const hasEvents = inTurn.some(({ message }) => message.kind === 'event');
  const report = inTurn.map(({ message }) => message).find((message) => message.kind === 'report');
  const held = createHeld(ports.store, { both: hasEvents ? report?.told : undefined });
  const failed: string[] = [];
  for (const { record, message } of inTurn) {
    try {
      // "later" is a failure to SQS: the message comes again after its visibility time-out.
      if ((await apply(ports, record, message, held)) === 'later') failed.push(record.messageId);
    } catch (error) {
      held.forgetAll();
      if (await waitsElsewhere(ports, record, error)) continue;
      warn(ports, error);
      failed.push(record.messageId);
    }
  }
  return failed;
}

function turnOf({ message }: Received): number {
  if (message.kind !== 'event') return 1;
  return message.told.type === 'connected' ? 0 : 2;
}

/** An end before its own beginning: it says all that is to be written, and the beginning is no news then. */
function byEnd(a: Received, b: Received): number {
  if (a.message.kind !== 'report' || b.message.kind !== 'report') return 0;
  const [one, other] = [a.message.told, b.message.told];
  if (one.attempt !== other.attempt) return 0;
  return Number(other.type === 'door.disconnected') - Number(one.type === 'door.disconnected');
}

function warn({ log }: PresencePorts, error: unknown): void {
  log.warn('a presence message was not applied and will come again', { error: String(error) });
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

async function apply(ports: PresencePorts, record: SQSRecord, message: Message, held: Held): Promise<Applied> {
  switch (message.kind) {
    case 'report':
      return applyDoorReport(ports, message.told, held);
    case 'admitted':
      held.forgetAll();
      return countAdmitted(ports, message.told);
    case 'event': {
      const isDoorSilent = Number(record.attributes.ApproximateReceiveCount) >= doorSilentReceives;
      return applyBrokerEvent(ports, message.told, isDoorSilent, held);
    }
    case 'rank':
      await refreshRank(ports, message.told.deploymentId, message.told.username);
      return 'done';
    case 'renewal':
      await ports.credentials.renewHash(message.told);
      return 'done';
    case 'none':
      // Connections that are not this product's pass through the same rule; they are nobody's business here.
      ports.log.info('a presence message was left alone', { problem: message.problem });
      return 'done';
  }
}
