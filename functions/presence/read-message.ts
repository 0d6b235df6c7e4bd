// What a message of the presence queue is. Messages of this product name their type; everything else is the broker's event.

import type { SQSRecord } from 'aws-lambda';
import { type BrokerEvent, parseBrokerEvent } from '../../shared/app/presence/broker-event.ts';
import { ms } from '../../shared/domain/time.ts';
import type { Clock } from '../../shared/ports/common/clock.ts';
import type { HashRenewal } from '../../shared/ports/credentials/credentials.ts';
import type { DoorReport, UncountedAdmission } from '../../shared/ports/presence/presence.ts';
import type { RankRefresh } from '../../shared/ports/usage/ranks.ts';
import { parseAdmitted } from './admitted-message.ts';
import { parseDoorReport } from './door-report.ts';
import { parseRankRefresh } from './rank-refresh.ts';
import { parseRenewedHash } from './renewed-hash.ts';

export type Message =
  | { readonly kind: 'report'; readonly told: DoorReport }
  | { readonly kind: 'admitted'; readonly told: UncountedAdmission }
  | { readonly kind: 'event'; readonly told: BrokerEvent }
  | { readonly kind: 'rank'; readonly told: RankRefresh }
  | { readonly kind: 'renewal'; readonly told: HashRenewal }
  /** Not this product's. */
  | { readonly kind: 'none'; readonly problem: string };

/** Throws where a message says to be this product's and is malformed. */
export function readMessage(record: SQSRecord, clock: Clock): Message {
  const body: unknown = JSON.parse(record.body);
  const report = parseDoorReport(body);
  if (report !== undefined) return { kind: 'report', told: report };
  const admitted = parseAdmitted(body);
  if (admitted !== undefined) return { kind: 'admitted', told: admitted };
  const refresh = parseRankRefresh(body);
  if (refresh !== undefined) return { kind: 'rank', told: refresh };
  const renewed = parseRenewedHash(body);
  if (renewed !== undefined) return { kind: 'renewal', told: renewed };
  const sentAt = Number(record.attributes.SentTimestamp);
  const event = parseBrokerEvent(body, Number.isFinite(sentAt) && sentAt > 0 ? ms(sentAt) : clock.now());
  return event.ok ? { kind: 'event', told: event.value } : { kind: 'none', problem: event.problem };
}
