// The real authorizer's handler and bare transactional writes in turns, in a process that is configured as the function
// is. Credentials and settings are in its memory: each call comes right behind another of the same username.

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import type { Context } from 'aws-lambda';
import type { AuthorizerAnswer } from '../../functions/authorizer/event.ts';
import { perUsernameKey } from '../../shared/adapters/dynamodb/common/keys.ts';
import { systemClock } from '../../shared/adapters/node/clock.ts';
import type { ClientId, DeploymentId, Username } from '../../shared/domain/ids.ts';
import { answerParent } from '../child/child.ts';
import { buildSession } from '../fill/items.ts';
import { placeFor, startedSession } from '../fill/sessions.ts';
import { type Times, takeTurns, timed } from './rounds.ts';

export interface AuthorizerQuestion {
  readonly endpoint: string;
  readonly tableName: string;
  readonly deploymentId: string;
  readonly password: string;
  /** Whose sessions come and stay; they take turns. */
  readonly usernames: readonly string[];
  /** At its limit. */
  readonly full: string;
  readonly rounds: number;
  readonly turns: number;
}

const functionArn = 'arn:aws:lambda:eu-central-1:111111111111:function:authorizer';
const { handler } = await import('../../functions/authorizer/handler.ts');
let numbered = 0;
/** Client ids that no earlier process of the same table has had. */
const own = process.pid.toString(36);

async function measure(question: AuthorizerQuestion): Promise<Times> {
  const { endpoint, tableName, deploymentId, usernames, full } = question;
  const password = Buffer.from(question.password).toString('base64');
  // The SDK's own client, as anybody would write it: the product's is not measured by itself.
  const client = DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint }));
  const call = (username: string, clientId: string): Promise<AuthorizerAnswer> => {
    const mqtt = { username: `${username}?deployment=${deploymentId}`, password, clientId };
    return handler({ protocolData: { mqtt } }, { invokedFunctionArn: functionArn } as Context);
  };
  const device = (clientId: string): string => `${deploymentId}:${clientId}`;
  const newId = (): string => `device-${own}-${String(++numbered).padStart(8, '0')}`;
  /** Without the deployment's prefix a client id is refused, after the credentials. */
  const warm = (username: string) => call(username, 'nobody');
  const expect = async (answer: Promise<AuthorizerAnswer>, admitted: boolean): Promise<void> => {
    if ((await answer).isAuthenticated !== admitted)
      throw new Error(`a CONNECT was not ${admitted ? 'admitted' : 'rejected'}`);
  };
  const next = (): string => usernames[numbered % usernames.length] ?? full;
  const known = new Map<string, string>();
  const subjects = [
    {
      name: 'bare',
      work: () => {
        const names = {
          deploymentId: deploymentId as DeploymentId,
          username: `bare-${own}-${++numbered}` as Username,
          clientId: newId() as ClientId,
        };
        const Update = {
          TableName: tableName,
          Key: { ...perUsernameKey('N', names.deploymentId, names.username) },
          UpdateExpression: 'ADD used :one',
          ExpressionAttributeValues: { ':one': 1 },
        };
        const session = startedSession(names, placeFor(names.username, 0), systemClock.now());
        const Put = {
          TableName: tableName,
          Item: buildSession(session),
          ConditionExpression: 'attribute_not_exists(pk)',
        };
        return timed(() => client.send(new TransactWriteCommand({ TransactItems: [{ Update }, { Put }] })));
      },
    },
    {
      name: 'new',
      work: async () => {
        const username = next();
        const clientId = device(newId());
        known.set(username, clientId);
        await warm(username);
        return timed(() => expect(call(username, clientId), true));
      },
    },
    {
      name: 'reconnect',
      work: async () => {
        const [username = '', clientId = ''] = [...known].at(-1) ?? [];
        await warm(username);
        return timed(() => expect(call(username, clientId), true));
      },
    },
    {
      name: 'rejected',
      work: async () => {
        await warm(full);
        return timed(() => expect(call(full, device(newId())), false));
      },
    },
  ];
  try {
    return await takeTurns(subjects, question.rounds, question.turns);
  } finally {
    client.destroy();
  }
}

const api = answerParent({ measure });

export type AuthorizerApi = typeof api;
