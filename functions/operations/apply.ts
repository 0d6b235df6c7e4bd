// Messages of operations from SQS: each wakes a worker, and a worker that has to leave before the end sends the next.

import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { WorkerPorts } from '../../shared/app/operations/operation-step.ts';
import { type Worked, workOn } from '../../shared/app/operations/work-on-operation.ts';
import { type Parsed, parseOperationId, parseTenantId } from '../../shared/domain/ids.ts';
import type { OperationMessage, OperationQueue } from '../../shared/ports/operations/operations.ts';

export interface OperationPorts extends WorkerPorts {
  readonly queue: OperationQueue;
}

export async function applyOperations(
  ports: OperationPorts,
  event: SQSEvent,
  mustStop: () => boolean,
): Promise<SQSBatchResponse> {
  const failed = await Promise.all(event.Records.map((record) => apply(ports, record, mustStop)));
  return { batchItemFailures: failed.flat().map((itemIdentifier) => ({ itemIdentifier })) };
}

async function apply(ports: OperationPorts, record: SQSRecord, mustStop: () => boolean): Promise<string[]> {
  const message = parseMessage(JSON.parse(record.body));
  if (!message.ok) {
    ports.log.error('a message is about no operation', { problem: message.problem });
    return [];
  }
  try {
    const worked = await workOn(ports, message.value, mustStop);
    await goOn(ports, message.value, worked);
    return worked.kind === 'later' ? [record.messageId] : [];
  } catch (error) {
    const { operationId } = message.value;
    ports.log.warn('an operation was interrupted and will be gone on with', { operationId, error: String(error) });
    return [record.messageId];
  }
}

/** Where it cannot be sent, this message comes again; and if it does not either, the record says when to look. */
async function goOn(ports: OperationPorts, { tenantId, operationId }: OperationMessage, worked: Worked): Promise<void> {
  if (worked.kind === 'again') await ports.queue.send({ tenantId, operationId }, { delaySeconds: worked.after });
}

function parseMessage(body: unknown): Parsed<OperationMessage> {
  if (typeof body !== 'object' || body === null) return { ok: false, problem: 'a message is an object' };
  const raw = body as Readonly<Record<string, unknown>>;
  const tenantId = parseTenantId(raw.tenantId);
  if (!tenantId.ok) return tenantId;
  const operationId = parseOperationId(raw.operationId);
  if (!operationId.ok) return operationId;
  const ref = { tenantId: tenantId.value, operationId: operationId.value };
  return { ok: true, value: raw.certain === true ? { ...ref, certain: true } : ref };
}
