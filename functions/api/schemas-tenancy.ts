// What the reference says of tenants, deployments, rejections and audit records.

import { z } from '@hono/zod-openapi';
import { deploymentNameMaxLength } from '../../shared/config/constants.ts';
import { recordedReasons } from '../../shared/domain/refusal.ts';
import { count, time, username } from './schemas.ts';
import { ofDeployment } from './setting-schemas.ts';

const tenantId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,31}$/)
  .openapi({ description: '1 to 32 characters of a-z, 0-9 and -, not starting with -' });

export const tenantInputSchema = z.strictObject({ tenantId }).openapi('TenantInput');
export const tenantSchema = z.object({ tenantId, createdAt: time }).openapi('Tenant');

// Lengths in JSON Schema are counted in characters, those of JavaScript in halves of them.
const name = z
  .string()
  .refine((given) => given.isWellFormed() && [...given].length >= 1 && [...given].length <= deploymentNameMaxLength)
  .refine((given) => !/\p{Cc}/u.test(given) && /\S/.test(given))
  .openapi({ minLength: 1, maxLength: deploymentNameMaxLength, pattern: '^\\P{Cc}*[^\\s\\p{Cc}]\\P{Cc}*$' });

export const deploymentInputSchema = z.strictObject({ name }).openapi('DeploymentInput');

export const deploymentChangeSchema = z
  .strictObject({
    name: name.optional(),
    mqttHost: z
      .string()
      .regex(/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\..{1,189}$/)
      .nullable()
      .optional()
      .openapi({
        description:
          'TLS server name that stands for the deployment: one label below the MQTT domain of the installation; null for none',
      }),
    status: z.enum(['active', 'suspended']).optional(),
    ...ofDeployment.some,
  })
  .openapi('DeploymentChange');

const sentClientId = z
  .string()
  .openapi({ description: 'As the client sent it, at most 128 bytes; empty where it sent none' });
const reason = z.enum(recordedReasons);

export const rejectionEntrySchema = z.object({ at: time, clientId: sentClientId, reason }).openapi('RejectionEntry');

export const rejectionSchema = z
  .object({
    username,
    clientId: sentClientId.openapi({ description: 'The client id that was rejected last, as it was sent' }),
    reason,
    rejections: count.openapi({ description: 'How often this username was rejected for this reason' }),
    lastRejectedAt: time,
  })
  .openapi('Rejection');

export const rejectionHourSchema = z
  .object({
    hour: time.openapi({ description: 'Its beginning' }),
    rejections: count.openapi({ description: 'Those for quota' }),
  })
  .openapi('RejectionHour');

export const auditRecordSchema = z
  .object({
    at: time,
    actor: z
      .string()
      .openapi({ description: 'The person, or the name of the token; of a machine on AWS its app client' }),
    action: z.string(),
    subject: z.string().optional().openapi({ description: 'The username or client id concerned' }),
    before: z.record(z.string(), z.unknown()).nullable().openapi({ description: 'null: there was nothing' }),
    after: z.record(z.string(), z.unknown()).nullable().openapi({ description: 'null: there is nothing any more' }),
  })
  .openapi('AuditRecord');

export const tenantAuditRecordSchema = auditRecordSchema
  .extend({ deploymentId: z.string() })
  .openapi('TenantAuditRecord');
