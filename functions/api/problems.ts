// Every problem code there is: its status, what causes it and what cures it. A code that is not here cannot be
// answered. docs/errors.md and the reference at /docs are written from this.

interface ProblemKind {
  readonly status: number;
  readonly cause: string;
  readonly cure: string;
}

export const problemKinds = {
  'request.invalid': {
    status: 400,
    cause:
      'Something in the path, the query, a header or the body is not as the reference has it. `errors` names each.',
    cure: 'Correct what `errors` names. A cursor goes with the list and the filters that it came from only.',
  },
  'request.malformed': {
    status: 400,
    cause: 'The request is not HTTP that can be read: its path, its method or a header.',
    cure: 'Percent-encode what stands in the path, or use `~` and base64url.',
  },
  'request.misdirected': {
    status: 421,
    cause: 'The request names a host that the local run does not answer for.',
    cure: 'Ask for `localhost` or `127.0.0.1`, or add the name to `ALLOWED_HOSTS`.',
  },
  'body.malformed': { status: 400, cause: 'The body is not JSON in UTF-8.', cure: 'Send JSON.' },
  'body.too_large': { status: 413, cause: 'The body is larger than this request may be.', cure: 'Send less.' },
  'body.unsupported_type': {
    status: 415,
    cause: 'The `Content-Type` is missing, or is not JSON.',
    cure: 'Send `Content-Type: application/json`.',
  },
  unauthorized: {
    status: 401,
    cause: 'There is no bearer token, or nobody gave this one out, or it has expired.',
    cure: 'Send `Authorization: Bearer <token>` with a valid token.',
  },
  'requests.too_many': {
    status: 429,
    cause:
      'The tenant of the token has as many requests under way as it may have at once. Requests that take long (a whole ' +
      'session limit, a deletion, a token issuer) have a narrower bound of their own. On AWS the gateway answers 429 too, ' +
      'without a code, beyond its rate.',
    cure: 'Try again after `Retry-After` seconds, with fewer requests at a time.',
  },
  'operations.too_many': {
    status: 429,
    cause:
      'The tenant of the token has 1,000 operations running, the most that it may have at once. Nothing was changed. ' +
      '`DELETE` of sessions, of an MQTT user, of a token issuer and of a deployment, `PUT` of a token issuer, blocking a ' +
      'username and suspending a deployment start one.',
    cure: 'Try again after `Retry-After` seconds, when some have ended.',
  },
  forbidden: {
    status: 403,
    cause:
      'The token lacks the scope that this request needs, or the role of the person does not have it; `detail` names the scope.',
    cure: 'Use a token that has the scope. On AWS the operator adds a person to a group of another role.',
  },
  'tenant.unknown': {
    status: 403,
    cause: 'The tenant that the token belongs to was never created.',
    cure: 'Have the operator create it with `POST /v1/tenants`.',
  },
  'tenant.exists': {
    status: 409,
    cause: 'There is a tenant of this id already.',
    cure: 'Choose another id, or use the tenant there is.',
  },
  'route.not_found': { status: 404, cause: 'Nothing is at this path.', cure: 'Look the path up in the reference.' },
  'method.not_allowed': {
    status: 405,
    cause: 'The path is right, the method is not.',
    cure: 'Use one of those that `Allow` names.',
  },
  'deployment.not_found': {
    status: 404,
    cause: 'The tenant of the token has no such deployment.',
    cure: 'Look the id up with `GET /v1/deployments`, and check whose token it is.',
  },
  'deployment.too_many': {
    status: 409,
    cause: 'The tenant of the token owns 1,000 deployments already, the most that it may own.',
    cure: 'Delete one that is not used; it counts until its deletion has ended.',
  },
  'deployment.deleting': {
    status: 409,
    cause: 'The deployment is being deleted.',
    cure: 'Nothing: it cannot be brought back. Create another one.',
  },
  'mqtt_host.taken': {
    status: 409,
    cause: 'This `mqttHost` is not available: another deployment has set it, or its label is the id of another.',
    cure: 'Choose another label, or take it from the other deployment first.',
  },
  'session_limit.not_configured': {
    status: 404,
    cause: 'No session limit is configured for this deployment, or it was deleted.',
    cure: 'Configure it with `PUT`.',
  },
  'token_issuer.not_configured': {
    status: 404,
    cause: 'This deployment takes no signed tokens as MQTT passwords.',
    cure: 'Configure an issuer with `PUT`.',
  },
  'token_issuer.no_keys': {
    status: 422,
    cause:
      '`jwksUrl` gave no key that verifies signatures, or is not an https URL of a public address. Nothing was changed.',
    cure: 'Serve the JWK set with status 200, without a redirect, in at most 64 KB and 5 seconds; or give `keys`.',
  },
  'override.not_found': {
    status: 404,
    cause: 'This username has no override.',
    cure: 'Nothing: the default holds for it. `PUT` gives it one.',
  },
  'override.too_many': {
    status: 409,
    cause: 'There are 10,000 overrides already, the most there can be.',
    cure: 'Remove some, or choose a default that more usernames share.',
  },
  'precondition.failed': {
    status: 412,
    cause:
      'It has changed since it was read: `If-Match` names another version, or `If-None-Match` the one that there is.',
    cure: 'Read it again, and decide again.',
  },
  'idempotency_key.reused': {
    status: 422,
    cause:
      'The `Idempotency-Key` made a deployment of another body within the last day, which is still there. Nothing was changed.',
    cure: 'Send the body that belongs to the key, or use a new key.',
  },
  'credential.not_found': { status: 404, cause: 'There is no such MQTT user.', cure: 'Look at the list of them.' },
  'credential.too_many': {
    status: 409,
    cause: 'The deployment has 100,000 MQTT users already, the most that it may have.',
    cure: 'Remove some, use signed tokens, which need no MQTT users, or use another deployment.',
  },
  'passwords.overloaded': {
    status: 503,
    cause: 'Too many passwords are being hashed at this moment.',
    cure: 'Try again after `Retry-After` seconds.',
  },
  'usage.not_found': {
    status: 404,
    cause: 'This username has neither a live session nor a rejection.',
    cure: 'Nothing: there is nothing to show.',
  },
  'client.not_found': {
    status: 404,
    cause: 'No live session has this client id: it never connected, its session ended, or it expired.',
    cure: 'Nothing: there is nothing to show.',
  },
  'operation.not_found': {
    status: 404,
    cause: 'The tenant of the token has no such operation; operations are kept for a week.',
    cure: 'Look at the id, and check whose token it is.',
  },
  'broker.unavailable': {
    status: 503,
    cause: 'The broker did not answer in time. The client may or may not have been disconnected; it is still counted.',
    cure: 'Try again after `Retry-After` seconds.',
  },
  'store.unavailable': {
    status: 503,
    cause: 'The database did not answer in time. A change may or may not have been made.',
    cure: 'Try again after `Retry-After` seconds; a change with the same `If-Match` is not made twice.',
  },
  internal: {
    status: 500,
    cause: 'A mistake of ours. It has been logged under the `x-request-id` of the answer.',
    cure: 'Try again; report it if it stays.',
  },
} as const satisfies Readonly<Record<string, ProblemKind>>;

export type ProblemCode = keyof typeof problemKinds;

export function isProblemCode(raw: unknown): raw is ProblemCode {
  return typeof raw === 'string' && Object.hasOwn(problemKinds, raw);
}

/** docs/errors.md, whole. */
export function describeProblems(): string {
  const sections = Object.entries(problemKinds).map(
    ([code, { status, cause, cure }]) =>
      `## \`${code}\`\n\nStatus ${status}.\n\n**Cause.** ${cause}\n\n**Cure.** ${cure}\n`,
  );
  return [
    '# Errors\n',
    'Every error of the HTTP API is `application/problem+json` [RFC 9457] with a stable `code`. Programs read the code; ' +
      '`title` and `detail` are for people, and may change.\n',
    ...sections,
  ].join('\n');
}
