import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import type { AuthorizerAnswer, AuthorizerEvent } from '../../functions/authorizer/event.ts';
import { createLocalBroker, type LocalBroker, type LocalBrokerOptions } from '../../local/broker.ts';
import { localArn } from '../../local/policy.ts';
import { openBrokerPort } from '../support/broker-port.ts';
import { createManualTime, type ManualTime } from './manual-time.ts';

export const versions = [3, 4, 5] as const;
export type Version = (typeof versions)[number];

export interface PresenceEvent {
  readonly eventType: string;
  readonly clientId: string;
  readonly versionNumber?: number;
  readonly sessionIdentifier: string;
  readonly disconnectReason?: string;
  readonly clientInitiatedDisconnect?: boolean;
}

export interface Bench {
  readonly broker: LocalBroker & { readonly port: number };
  readonly time: ManualTime;
  readonly asked: AuthorizerEvent[];
  readonly events: PresenceEvent[];
  /**
   * Connects a real client; rejects with mqtt.js's error where it is refused. `watch` gets it before it is connected,
   * because what is queued for it follows the CONNACK at once.
   */
  connect(
    version: Version,
    clientId: string,
    options?: IClientOptions,
    watch?: (client: MqttClient) => void,
  ): Promise<MqttClient>;
  /** Ends clients and broker. */
  close(): Promise<void>;
}

export function arn(resource: string): string {
  return `arn:${localArn.partition}:iot:${localArn.region}:${localArn.accountId}:${resource}`;
}

/** What an authorizer answers who allows everything but a subscription to some topics. */
export function allowAllBut(topicFilter: string): AuthorizerAnswer {
  const Statement = [
    { Effect: 'Allow', Action: '*', Resource: '*' },
    { Effect: 'Deny', Action: 'iot:Subscribe', Resource: arn(`topicfilter/${topicFilter}`) },
  ];
  const document = JSON.stringify({ Version: '2012-10-17', Statement });
  return { isAuthenticated: true, principalId: 'p', policyDocuments: [document] };
}

/** What an authorizer answers for deployment `demo`: everything under `demo/`, shared subscriptions included. */
export function allowDemo(event: AuthorizerEvent): AuthorizerAnswer {
  const document = {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: 'iot:Connect', Resource: arn(`client/${event.protocolData?.mqtt?.clientId}`) },
      { Effect: 'Allow', Action: ['iot:Publish', 'iot:RetainPublish', 'iot:Receive'], Resource: arn('topic/demo/*') },
      {
        Effect: 'Allow',
        Action: 'iot:Subscribe',
        Resource: [arn('topicfilter/demo/*'), arn('topicfilter/$share/*/demo/*')],
      },
    ],
  };
  return {
    isAuthenticated: true,
    principalId: 'p1',
    policyDocuments: [JSON.stringify(document)],
    disconnectAfterInSeconds: 86_400,
    refreshAfterInSeconds: 86_400,
  };
}

export function untilClosed(client: MqttClient): Promise<void> {
  return new Promise((resolve) => {
    client.once('close', resolve);
  });
}

export async function startBench(options: Partial<LocalBrokerOptions> = {}): Promise<Bench> {
  const time = createManualTime();
  const asked: AuthorizerEvent[] = [];
  const events: PresenceEvent[] = [];
  const clients: MqttClient[] = [];
  const { authorize = async (event: AuthorizerEvent) => allowDemo(event) } = options;
  const local = await createLocalBroker({
    clock: time.clock,
    schedule: time.schedule,
    onPresence: (event) => events.push(event as PresenceEvent),
    persistentExpirySeconds: () => 3_600,
    ...options,
    authorize(event) {
      asked.push(event);
      return authorize(event);
    },
  });
  const straight = await openBrokerPort((stream, ipAddress) => local.accept(stream, ipAddress));
  const broker = { ...local, port: straight.port };
  return {
    broker,
    time,
    asked,
    events,
    async connect(protocolVersion, clientId, more = {}, watch = () => undefined) {
      const protocolId = protocolVersion === 3 ? 'MQIsdp' : 'MQTT';
      const given: IClientOptions = {
        clientId,
        protocolVersion,
        protocolId,
        reconnectPeriod: 0,
        username: 'alice',
        ...more,
      };
      const client = mqtt.connect(`mqtt://127.0.0.1:${broker.port}`, given);
      watch(client);
      await new Promise<void>((resolve, reject) => {
        client.once('connect', () => resolve());
        client.on('error', reject);
        client.once('close', () => reject(new Error('closed before CONNACK')));
      });
      clients.push(client);
      return client;
    },
    async close() {
      await Promise.all(clients.map((client) => client.endAsync(true)));
      await broker.close();
      await straight.close();
    },
  };
}
