// What DynamoDB's time to live has removed, as the table's stream tells. A removal says only whose sessions to look at:
// each username is recounted once, nothing is ever taken off a count because of it. So a batch may come twice, late and
// in pieces, and any other record of the stream means nothing here.

import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { parseSessionKey } from '../../shared/adapters/dynamodb/presence/session-item.ts';
import { sideBySide } from '../../shared/app/common/side-by-side.ts';
import { type RecountPorts, recount } from '../../shared/app/counter/recount.ts';
import { type DeploymentId, parseDeploymentId, parseUsername, type Username } from '../../shared/domain/ids.ts';
import type { Log } from '../../shared/ports/common/log.ts';

export interface ExpiryPorts extends RecountPorts {
  readonly log: Log;
}

/** Usernames recounted side by side. */
const atOnce = 8;

interface Removed {
  readonly deploymentId: DeploymentId;
  readonly username: Username;
  /** Of the records that named it. */
  readonly sequenceNumbers: string[];
}

export async function applyExpiry(ports: ExpiryPorts, event: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> {
  const named = [...collect(event.Records).values()];
  const failed: string[] = [];
  const counts = { usernames: named.length, removed: 0, finished: 0, added: 0, failed: 0 };
  await sideBySide(named, atOnce, async ({ deploymentId, username, sequenceNumbers }) => {
    try {
      const counted = await recount(ports, deploymentId, username);
      counts.removed += counted.removed;
      counts.finished += counted.finished;
      counts.added += counted.added;
    } catch (error) {
      ports.log.warn('a username was not recounted and will come again', { error: String(error) });
      counts.failed++;
      failed.push(...sequenceNumbers);
    }
  });
  if (counts.usernames > 0) ports.log.info('recounted after expiry', counts);
  return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
}

function collect(records: readonly DynamoDBRecord[]): Map<string, Removed> {
  const found = new Map<string, Removed>();
  for (const record of records) {
    const names = namesOf(record);
    const sequenceNumber = record.dynamodb?.SequenceNumber;
    if (names === undefined || sequenceNumber === undefined) continue;
    const key = `${names.deploymentId}|${names.username}`;
    const known = found.get(key);
    if (known === undefined) found.set(key, { ...names, sequenceNumbers: [sequenceNumber] });
    else known.sequenceNumbers.push(sequenceNumber);
  }
  return found;
}

/** Whose session it was; undefined for whatever is no session that the time to live removed. */
function namesOf(record: DynamoDBRecord): { deploymentId: DeploymentId; username: Username } | undefined {
  if (record.eventName !== 'REMOVE' || record.userIdentity?.principalId !== 'dynamodb.amazonaws.com') return undefined;
  const pk = record.dynamodb?.Keys?.pk?.S ?? '';
  if (!pk.startsWith('S|')) return undefined;
  const names = parseSessionKey(pk, record.dynamodb?.Keys?.sk?.S ?? '');
  const deploymentId = parseDeploymentId(names.deploymentId);
  const username = parseUsername(names.username);
  return deploymentId.ok && username.ok ? { deploymentId: deploymentId.value, username: username.value } : undefined;
}
