// Decides by IoT policy documents as IoT Core does: everything is denied but what a statement allows, and an explicit
// Deny wins. Knows the actions, resources and wildcards that a custom authorizer's answer can hold here; a document
// with anything else (conditions, NotAction, policy variables) is not guessed at but refused as a whole.

/** What stands for partition, region and account in the ARNs of the local run's policies. */
export const localArn = { partition: 'aws', region: 'local', accountId: '000000000000' } as const;

export type Action = 'iot:Connect' | 'iot:Publish' | 'iot:RetainPublish' | 'iot:Subscribe' | 'iot:Receive';

/** Answers whether the documents allow an action on a resource as `client/…`, `topic/…` or `topicfilter/…`. */
export type Policy = (action: Action, resource: string) => boolean;

interface Statement {
  readonly allow: boolean;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}

/** [AWS: custom authorizer's answer] */
const documentsMax = 10;
const documentCharactersMax = 2_048;

/**
 * `*` stands for any characters, `?` for one; everything else, `+` and `#` included, for itself [AWS: MQTT wildcards
 * are plain characters in a policy]. Goes back to the last star only, so that no pattern takes more than linear time
 * for each star.
 */
export function matches(pattern: string, text: string): boolean {
  let at = 0;
  let from = 0;
  let star = -1;
  let starFrom = 0;
  while (from < text.length) {
    if (pattern[at] === '*') {
      star = at;
      starFrom = from;
      at += 1;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === text[from])) {
      at += 1;
      from += 1;
    } else if (star >= 0) {
      starFrom += 1;
      from = starFrom;
      at = star + 1;
    } else return false;
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseStrings(value: unknown): readonly string[] | undefined {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.every((item) => typeof item === 'string') && list.length > 0 ? list : undefined;
}

function parseStatement(value: unknown): Statement | undefined {
  if (!isRecord(value)) return undefined;
  const { Effect: effect, Action: action, Resource: resource, Sid: _, ...rest } = value;
  const actions = parseStrings(action);
  const resources = parseStrings(resource);
  if (actions === undefined || resources === undefined || Object.keys(rest).length > 0) return undefined;
  if (effect !== 'Allow' && effect !== 'Deny') return undefined;
  if (resources.some((text) => text.includes('${'))) return undefined;
  return { allow: effect === 'Allow', actions, resources };
}

function parseDocument(text: string): readonly Statement[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || value.Version !== '2012-10-17') return undefined;
  const raw: unknown = value.Statement;
  const statements = (Array.isArray(raw) ? raw : [raw]).map(parseStatement);
  return statements.every((statement) => statement !== undefined) ? statements : undefined;
}

/** Undefined where IoT Core would not take the documents, or where they hold something that is not known here. */
export function parsePolicy(documents: readonly string[]): Policy | undefined {
  if (documents.length > documentsMax || documents.some((text) => text.length > documentCharactersMax))
    return undefined;
  const parsed = documents.map(parseDocument);
  if (!parsed.every((statements) => statements !== undefined)) return undefined;
  const statements = parsed.flat();
  return (action, resource) => {
    const arn = `arn:${localArn.partition}:iot:${localArn.region}:${localArn.accountId}:${resource}`;
    const speaking = statements.filter(
      (statement) => speaksOf(statement, action) && statement.resources.some((pattern) => matches(pattern, arn)),
    );
    return speaking.length > 0 && speaking.every((statement) => statement.allow);
  };
}

/** Actions are compared without regard to case, as IAM does. */
function speaksOf({ actions }: Statement, action: Action): boolean {
  return actions.some((pattern) => pattern === action || matches(pattern.toLowerCase(), action.toLowerCase()));
}
