// Stands between a deployed function and AWS: passes what is DynamoDB's on to the local engine, answers for the services
// that no machine has at home, and writes down what was asked for, in the words that a policy would need for it.

import { createServer, type IncomingMessage, request } from 'node:http';
import { tableDefinition } from '../../../shared/config/table.ts';
import { testKeyringText } from '../../support/passwords.ts';
import { partLine, transactionLine } from '../grants.ts';

export interface Recorder {
  readonly endpoint: string;
  /**
   * `dynamodb:GetItem S`, `dynamodb:Query index due`, `iot:GetConnection`, and of a transaction what is in it:
   * `transaction PutItem+UpdateItem A+D`. Of a Scan, and of requests about passwords, which attributes they name, or what
   * they want back: `dynamodb:Query P only pk+sk`, `dynamodb:UpdateItem P returning NONE`. Sorted, each once.
   */
  used(): readonly string[];
  /** What was sent to queues, oldest first. */
  readonly sent: Readonly<Record<string, unknown>>[];
  /** What was put on event buses, oldest first. */
  readonly told: Readonly<Record<string, unknown>>[];
  /** What GetConnection says of a client id; absent is 404. */
  readonly connections: Map<string, object>;
  /** Secrets by their ARN; the key of the tickets where there is none. The keys of passwords are there. */
  readonly secrets: Map<string, string>;
  /** The name of every domain configuration; there is none before it is set. */
  domainName: string;
  /** From now on the database answers to nothing, or does so again. */
  break(broken: boolean): void;
  close(): Promise<void>;
}

export const passwordKeysArn = 'arn:aws:secretsmanager:eu-central-1:111111111111:secret:password-keys';
export const ticketSecret = 'the-key-of-the-tickets-of-this-test';

interface Answer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

type Body = Readonly<Record<string, unknown>>;
type Key = Readonly<Record<string, { readonly S?: string }>>;

export async function startRecorder(engine: string): Promise<Recorder> {
  const used = new Set<string>();
  const sent: Readonly<Record<string, unknown>>[] = [];
  const told: Readonly<Record<string, unknown>>[] = [];
  const connections = new Map<string, object>();
  const secrets = new Map([[passwordKeysArn, testKeyringText]]);
  let broken = false;

  function answerFor(method: string, path: string, target: string, body: Body): Answer {
    if (target === 'secretsmanager.GetSecretValue') {
      used.add('secretsmanager:GetSecretValue');
      return {
        status: 200,
        body: { ARN: body.SecretId, SecretString: secrets.get(String(body.SecretId)) ?? ticketSecret },
      };
    }
    if (target === 'AmazonSQS.SendMessage') {
      used.add('sqs:SendMessage');
      sent.push(JSON.parse(String(body.MessageBody)));
      return { status: 200, body: { MessageId: String(sent.length) } };
    }
    if (target === 'AWSEvents.PutEvents') {
      used.add('events:PutEvents');
      const entries = body.Entries as readonly Readonly<Record<string, unknown>>[];
      told.push(...entries);
      return { status: 200, body: { FailedEntryCount: 0, Entries: entries.map(() => ({ EventId: 'one' })) } };
    }
    if (path.startsWith('/domainConfigurations/')) {
      used.add('iot:DescribeDomainConfiguration');
      return { status: 200, body: { domainName: recorder.domainName } };
    }
    const connection = /^\/connections\/(.+?)(\?.*)?$/.exec(path)?.[1];
    if (connection !== undefined) {
      used.add(method === 'DELETE' ? 'iot:DeleteConnection' : 'iot:GetConnection');
      const found = connections.get(decodeURIComponent(connection));
      if (method === 'DELETE') connections.delete(decodeURIComponent(connection));
      return found === undefined
        ? { status: 404, body: {}, headers: { 'x-amzn-errortype': 'ResourceNotFoundException' } }
        : { status: 200, body: method === 'DELETE' ? {} : found };
    }
    throw new Error(`nobody here answers ${method} ${path} ${target}`);
  }

  const server = createServer((incoming, outgoing) => {
    void read(incoming).then((bytes) => {
      const target = String(incoming.headers['x-amz-target'] ?? '');
      const body: Body = bytes.length === 0 ? {} : JSON.parse(bytes.toString('utf8'));
      if (target.startsWith('DynamoDB_')) {
        for (const line of linesOf(target.split('.')[1] ?? '', body)) used.add(line);
        if (broken) {
          outgoing.writeHead(500).end();
          return;
        }
        const { host: _host, ...headers } = incoming.headers;
        const passed = request(engine, { method: 'POST', headers }, (answer) => {
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(outgoing);
        });
        passed.on('error', () => outgoing.destroy());
        passed.end(bytes);
        return;
      }
      const answer = answerFor(incoming.method ?? '', incoming.url ?? '', target, body);
      outgoing.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0', ...answer.headers });
      outgoing.end(JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  const recorder: Recorder = {
    endpoint: `http://127.0.0.1:${address.port}`,
    used: () => [...used].sort(),
    sent,
    told,
    connections,
    secrets,
    domainName: '',
    break: (now) => {
      broken = now;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return recorder;
}

async function read(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Keys begin with a letter that says what the item is; one without a second part stands for itself. */
function kindOfKey(partition: string | undefined): string {
  if (partition === undefined) return '?';
  return partition.includes('|') ? (partition.split('|')[0] ?? '?') : `=${partition}`;
}

const kindOf = (key: Key | undefined): string => kindOfKey(key?.[tableDefinition.partitionKey]?.S);

/**
 * All attributes that a read names: keys, filter and projection. [AWS: specifying-conditions, `dynamodb:Attributes`]
 * Empty where it does not ask for some attributes only, and so reads all.
 */
function partOf(body: Body): string {
  if (body.Select !== 'SPECIFIC_ATTRIBUTES') return '';
  const names = (body.ExpressionAttributeNames ?? {}) as Readonly<Record<string, string>>;
  const expressions = [body.ProjectionExpression, body.FilterExpression, body.KeyConditionExpression].map((text) =>
    String(text ?? '').replaceAll(/\b(?:begins_with|OR|AND)\b/g, ''),
  );
  const named = expressions.flatMap((text) => text.match(/(?<![:\w#])#?[A-Za-z]\w*/g) ?? []);
  const start = Object.keys((body.ExclusiveStartKey ?? {}) as object);
  return ` ${partLine([...named.map((name) => names[name] ?? name), ...start])}`;
}

/** Items that hold digests of passwords. */
const isSecret = (kind: string): boolean => kind === 'P';

/** What IAM asks for: a transaction that writes needs the actions of its parts. [AWS: transaction-apis-iam] */
export function linesOf(action: string, body: Body): readonly string[] {
  switch (action) {
    case 'GetItem':
    case 'UpdateItem':
    case 'DeleteItem': {
      const kind = kindOf(body.Key as Key);
      const back = action === 'UpdateItem' && isSecret(kind) ? ` returning ${body.ReturnValues ?? 'NONE'}` : '';
      return [`dynamodb:${action} ${kind}${back}`];
    }
    case 'PutItem':
      return [`dynamodb:PutItem ${kindOf(body.Item as Key)}`];
    case 'Query':
      return [queryLine(body)];
    case 'BatchGetItem':
      return tablesOf<{ readonly Keys: readonly Key[] }>(body).flatMap(({ Keys }) =>
        Keys.map((key) => `dynamodb:BatchGetItem ${kindOf(key)}`),
      );
    case 'BatchWriteItem':
      return tablesOf<readonly { readonly PutRequest?: { Item: Key }; readonly DeleteRequest?: { Key: Key } }[]>(body)
        .flat()
        .map(
          ({ PutRequest, DeleteRequest }) =>
            `dynamodb:BatchWriteItem ${kindOf(PutRequest?.Item ?? DeleteRequest?.Key)}`,
        );
    case 'TransactGetItems':
      return partsOf(body).map(({ kind }) => `dynamodb:GetItem ${kind}`);
    case 'TransactWriteItems': {
      const parts = partsOf(body);
      return [
        transactionLine(
          parts.map(({ action }) => action),
          parts.map(({ kind }) => kind),
        ),
      ];
    }
    case 'Scan':
      return [`dynamodb:Scan *${partOf(body)}`];
    default:
      return [`dynamodb:${action} ?`];
  }
}

function partsOf(body: Body): readonly { readonly action: string; readonly kind: string }[] {
  const parts = body.TransactItems as readonly Readonly<Record<string, { Key?: Key; Item?: Key }>>[];
  return parts.flatMap((part) =>
    Object.entries(part).map(([name, { Key, Item }]) => ({ action: `${name}Item`, kind: kindOf(Key ?? Item) })),
  );
}

function tablesOf<T>(body: Body): readonly T[] {
  return Object.values(body.RequestItems as Readonly<Record<string, T>>);
}

function queryLine(body: Body): string {
  if (typeof body.IndexName === 'string') return `dynamodb:Query index ${body.IndexName}`;
  const name = /(\S+)\s*=\s*(:\w+)/.exec(String(body.KeyConditionExpression))?.[2] ?? '';
  const values = body.ExpressionAttributeValues as Readonly<Record<string, { readonly S?: string }>>;
  const kind = kindOfKey(values[name]?.S);
  return `dynamodb:Query ${kind}${isSecret(kind) ? partOf(body) : ''}`;
}
