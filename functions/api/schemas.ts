// What the reference says of bodies and answers. Answers are built in views.ts; what a body may hold is decided by
// shared/app, and a test holds the two to each other.

import { z } from '@hono/zod-openapi';
import { publicKeysMax } from '../../shared/app/credentials/public-keys.ts';
import { maxSessionsPerUsernameMax, usernamesPerListMax } from '../../shared/config/constants.ts';
import { usernameMaxBytes } from '../../shared/domain/ids.ts';
import { audienceClaims } from '../../shared/ports/credentials/token-issuer.ts';
import { operationKinds } from '../../shared/ports/operations/operations.ts';
import { ofDeployment, ofLimit } from './setting-schemas.ts';

export const time = z.string().openapi({ format: 'date-time' });
export const count = z.number().int().min(0);
const max = z.number().int().min(1).max(maxSessionsPerUsernameMax);

export const username = z
  .string()
  .min(1)
  .openapi({ description: `1 to ${usernameMaxBytes} bytes of UTF-8, without "?"` });

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.string(),
    errors: z
      .array(z.object({ in: z.enum(['path', 'query', 'header', 'body']), name: z.string(), detail: z.string() }))
      .optional(),
  })
  .openapi('Problem');

export const deploymentSchema = z
  .object({
    deploymentId: z.string(),
    name: z.string(),
    mqttHost: z.string().nullable().openapi({
      description:
        'TLS server name that was set, below the MQTT domain; null for none. The label of the id stands for it besides',
    }),
    status: z.enum(['active', 'suspended', 'deleting']),
    ...ofDeployment.all,
    createdAt: time,
  })
  .openapi('Deployment');

export const sessionLimitInputSchema = z
  .strictObject({
    ...ofLimit.whole,
    whitelist: z.array(username).max(usernamesPerListMax).default([]),
  })
  .openapi('SessionLimitInput');

export const sessionLimitChangeSchema = z
  .strictObject({
    ...ofLimit.some,
    whitelist: z.array(username).max(usernamesPerListMax).optional(),
  })
  .openapi('SessionLimitChange');

export const sessionLimitSchema = z
  .object({
    ...ofLimit.all,
    whitelist: z.array(username),
    version: z.number().int().min(1),
    updatedAt: time,
  })
  .openapi('SessionLimit');

export const changedSessionLimitSchema = sessionLimitSchema
  .extend({ usernamesOverLimit: count.nullable().openapi({ description: 'null: could not be counted in time' }) })
  .openapi('ChangedSessionLimit');

const ownLimit = z.union([max, z.enum(['unlimited', 'blocked'])]);

export const overrideInputSchema = z.strictObject({ limit: ownLimit }).openapi('OverrideInput');
export const overrideSchema = z.object({ username, limit: ownLimit }).openapi('Override');

export const credentialInputSchema = z
  .strictObject({ password: z.string().min(1).optional() })
  .openapi('CredentialInput');
export const credentialSchema = z.object({ username, createdAt: time }).openapi('Credential');
export const generatedPasswordSchema = z.object({ password: z.string() }).openapi('GeneratedPassword');

const jwk = z.looseObject({ kty: z.enum(['RSA', 'EC', 'OKP']), kid: z.string().optional() });
const jwkSet = z.object({ keys: z.array(jwk).min(1).max(publicKeysMax) });
const claimName = z.string().min(1).max(256);

export const tokenIssuerInputSchema = z
  .strictObject({
    issuer: z.string().min(1).max(1_024).openapi({ description: "Equal to the token's `iss`" }),
    audience: z
      .string()
      .min(1)
      .max(1_024)
      .openapi({ description: "Among the token's `aud`, or equal to its `client_id`" }),
    audienceClaim: z.enum(audienceClaims).default('aud').openapi({
      description: 'The claim that holds the audience: access tokens of Cognito carry client_id, and no aud',
    }),
    usernameClaim: claimName.default('sub').openapi({ description: 'The claim that equals the MQTT username' }),
    jwksUrl: z.string().optional().openapi({ description: 'https, a public address; or `keys`' }),
    keys: jwkSet.optional().openapi({ description: 'Public keys; or `jwksUrl`' }),
  })
  .openapi('TokenIssuerInput');

export const tokenIssuerSchema = z
  .object({
    issuer: z.string(),
    audience: z.string(),
    audienceClaim: z.enum(audienceClaims),
    usernameClaim: claimName,
    jwksUrl: z.string().optional(),
    keys: jwkSet,
    keysReadAt: time.openapi({ description: 'When the keys were fetched last, or given' }),
    version: z.number().int().min(1),
    updatedAt: time,
  })
  .openapi('TokenIssuer');

export const usageSchema = z
  .object({
    username,
    used: count,
    limit: ownLimit.nullable().openapi({ description: 'null: nothing is enforced' }),
    whitelisted: z.boolean(),
    overLimit: z.boolean(),
    lastRejectedAt: time.optional().openapi({ description: 'For quota' }),
    rejections: count.optional().openapi({ description: 'Those for quota' }),
  })
  .openapi('Usage');

export const usageDetailSchema = usageSchema
  .extend({ connected: count, retained: count, pending: count })
  .openapi('UsageDetail');

export const sessionSchema = z
  .object({
    clientId: z.string(),
    state: z.enum(['pending', 'connected', 'retained']),
    connectedAt: time.optional(),
    disconnectedAt: time.optional(),
    expiresAt: time.optional(),
    protocolVersion: z.union([z.literal(3), z.literal(4), z.literal(5)]).optional(),
    ipAddress: z.string().optional(),
    sessionExpirySeconds: z.number().int().optional(),
  })
  .openapi('Session');

export const clientSchema = sessionSchema.extend({ username }).openapi('Client');

export const acceptedSchema = z.object({ operationId: z.string() }).openapi('Accepted');

export const operationSchema = z
  .object({
    status: z.enum(['running', 'done', 'failed']),
    total: count
      .optional()
      .openapi({ description: 'Sessions to end, as counted at the beginning; at the end as many as were ended' }),
    finished: count.openapi({ description: 'Sessions ended' }),
    startedAt: time,
    endedAt: time.optional(),
  })
  .openapi('Operation');

export const listedOperationSchema = operationSchema
  .extend({
    operationId: z.string(),
    deploymentId: z.string(),
    kind: z.enum(operationKinds).openapi({ description: 'What it follows' }),
    username: username.optional().openapi({ description: 'Whose sessions; absent: those of the whole deployment' }),
  })
  .openapi('ListedOperation');

/** A page of a list. */
export function listOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().optional() });
}

export function answers(schema: z.ZodType, description: string) {
  return { content: { 'application/json': { schema } }, description };
}

/** `limit` and `cursor` of a list. */
export const pageQuery = {
  limit: z
    .string()
    .default('50')
    .transform((raw) => (/^[0-9]{1,3}$/.test(raw) ? Number(raw) : Number.NaN))
    .refine((limit) => limit >= 1 && limit <= 100, 'must be a whole number from 1 to 100')
    .openapi({ type: 'integer', minimum: 1, maximum: 100, default: 50 }),
  cursor: z.string().optional().openapi({ description: 'nextCursor of the page before' }),
};
