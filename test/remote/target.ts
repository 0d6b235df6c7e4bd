// An installation as its users meet it: the HTTP API with a token of a tenant, and MQTT at the front door or straight at
// the broker. A deployed stack is one, and so is the local run.

import { randomBytes } from 'node:crypto';
import { connect as dial, type IClientOptions, type MqttClient } from 'mqtt';
import type { AwsView } from './aws-view.ts';

/** Presence events as the broker tells them to its operator. */
export interface PresenceWatch {
  /** Those of one client id at the broker, in the order in which they came. */
  of(brokerClientId: string): readonly PresenceEvent[];
  close(): Promise<void>;
}

export interface PresenceEvent {
  readonly eventType: string;
  readonly clientId: string;
  readonly sessionIdentifier?: string;
  readonly principalIdentifier?: string;
  readonly versionNumber?: number;
  readonly disconnectReason?: string;
}

export interface Target {
  readonly apiUrl: string;
  readonly token: string;
  /** Straight to the broker, devices put the deployment's names on themselves, and no CONNACK can be chosen. */
  readonly entry: 'door' | 'straight';
  /** Where a client of this deployment connects. */
  readonly mqttUrl: (deploymentId: string) => string;
  readonly tls?: Pick<IClientOptions, 'rejectUnauthorized' | 'servername'>;
  /** How long what happens behind the CONNECT may take to be seen, in milliseconds. */
  readonly patienceMs: number;
  /** Settings hold at most 5 s later (S1). */
  readonly settled: () => Promise<void>;
  /** Absent where nobody may look behind the broker. */
  readonly watch?: PresenceWatch;
  /** Absent where nobody may look at the account. */
  readonly aws?: AwsView;
  /** How many tasks the front door wanted before the release that this run follows. */
  readonly tasksBefore?: number;
  /** How long a client may be left idle to see whether it stays; 0: not at all. */
  readonly idleMs: number;
  /** Whether there is time to see a connection end with its token, five minutes or ten. */
  readonly awaitsTokenEnd: boolean;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly etag: string | undefined;
}

/** In a path: carried by every gateway, whatever is in it. */
export const inPath = (name: string): string => `~${Buffer.from(name, 'utf8').toString('base64url')}`;

const trialName = /^trial [0-9a-f]{8}$/;
const abandonedMs = 3_600_000;

/** A deployment made for one run of the checks, with MQTT users of its own, and gone after it. */
export class Trial {
  readonly target: Target;
  readonly deploymentId: string;
  readonly #passwords = new Map<string, string>();
  readonly #clients: MqttClient[] = [];
  readonly #heard = new Map<MqttClient, string[]>();
  readonly #resumed = new Set<MqttClient>();

  private constructor(target: Target, deploymentId: string) {
    this.target = target;
    this.deploymentId = deploymentId;
  }

  static async begin(target: Target): Promise<Trial> {
    await removeAbandoned(target);
    const name = `trial ${randomBytes(4).toString('hex')}`;
    const made = await callApi(target, 'POST', '/deployments', { name });
    if (made.status !== 201) throw new Error(`no deployment could be made: ${JSON.stringify(made)}`);
    return new Trial(target, String(made.body.deploymentId));
  }

  /** Ends its clients and deletes the deployment; resolves when nothing is left of it, rejects where something is. */
  async end(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.endAsync(true).catch(() => undefined)));
    const started = await callApi(this.target, 'DELETE', `/deployments/${this.deploymentId}`);
    if (started.status !== 202) throw new Error(`${this.deploymentId} is left: ${JSON.stringify(started)}`);
    await this.operation(started, `${this.deploymentId} is deleted`);
  }

  /** Resolves when what was started has been done. */
  async operation(started: ApiAnswer, what: string): Promise<void> {
    await this.eventually(async () => {
      const { body } = await callApi(this.target, 'GET', `/operations/${String(started.body.operationId)}`);
      if (body.status === 'failed') throw new Error(`failed: ${what}`);
      return body.status === 'done';
    }, what);
  }

  api(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<ApiAnswer> {
    return callApi(this.target, method, `/deployments/${this.deploymentId}${path}`, body, headers);
  }

  /** A username of this name's own for each check, so that none meets what another left. */
  async user(username: string): Promise<string> {
    const { status, body } = await this.api('PUT', `/credentials/${inPath(username)}`, {});
    if (status !== 201) throw new Error(`no credential could be made: ${status}`);
    this.#passwords.set(username, String(body.password));
    return username;
  }

  async limit(maxSessionsPerUsername: number): Promise<ApiAnswer> {
    const answer = await this.api('PUT', '/session-limit', { maxSessionsPerUsername });
    if (answer.status >= 300) throw new Error(`no limit could be set: ${answer.status}`);
    await this.target.settled();
    return answer;
  }

  /** What a client of this deployment is called at the broker. */
  atBroker(clientId: string): string {
    return `${this.deploymentId}:${clientId}`;
  }

  /** Rejects where the CONNECT is refused. It listens from its first byte on. */
  async join(username: string, clientId: string, options: IClientOptions = {}): Promise<MqttClient> {
    const { deploymentId, target } = this;
    const client = dial(target.mqttUrl(deploymentId), {
      protocolVersion: 5,
      clean: true,
      reconnectPeriod: 0,
      connectTimeout: 20_000,
      password: this.#passwords.get(username) ?? '',
      ...target.tls,
      ...options,
      clientId: target.entry === 'door' ? clientId : this.atBroker(clientId),
      username: `${username}?deployment=${deploymentId}`,
    });
    const heard: string[] = [];
    this.#heard.set(client, heard);
    client.on('message', (topic) => heard.push(topic));
    await new Promise<void>((resolve, reject) => {
      client.once('connect', ({ sessionPresent }) => {
        if (sessionPresent) this.#resumed.add(client);
        resolve();
      });
      client.once('error', reject);
      client.once('close', () => reject(new Error('closed without a CONNACK')));
    }).catch((error: unknown) => {
      client.end(true);
      throw error;
    });
    client.on('error', () => undefined);
    this.#clients.push(client);
    return client;
  }

  /** Topics of what a client was sent. */
  heardBy(client: MqttClient): readonly string[] {
    return this.#heard.get(client) ?? [];
  }

  /** Whether the broker said that a session was there. */
  wasResumed(client: MqttClient): boolean {
    return this.#resumed.has(client);
  }

  /** The code that a refused CONNECT is told; undefined where the socket was only closed. Rejects where nobody was met. */
  async refusal(username: string, clientId: string, options: IClientOptions = {}): Promise<number | undefined> {
    try {
      await this.join(username, clientId, options);
    } catch (error) {
      const code = (error as { readonly code?: unknown }).code;
      if (typeof code === 'number') return code;
      if (code === undefined || code === 'ECONNRESET' || code === 'EPIPE') return undefined;
      throw error;
    }
    throw new Error(`the CONNECT of ${clientId} was not refused`);
  }

  async used(username: string): Promise<number> {
    const { status, body } = await this.api('GET', `/session-usage/${inPath(username)}`);
    return status === 404 ? 0 : Number(body.used);
  }

  async details(clientId: string): Promise<ApiAnswer['body']> {
    return (await this.api('GET', `/clients/${inPath(clientId)}`)).body;
  }

  async connected(clientId: string): Promise<void> {
    await this.eventually(async () => (await this.details(clientId)).state === 'connected', `${clientId} is connected`);
  }

  /** Asks again until it holds. */
  async eventually(check: () => Promise<boolean>, what: string): Promise<void> {
    const end = Date.now() + this.target.patienceMs;
    while (!(await check())) {
      if (Date.now() > end) throw new Error(`did not come true: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

/** What a run left that was ended before it could clean up. */
async function removeAbandoned(target: Target): Promise<void> {
  const { body } = await callApi(target, 'GET', '/deployments?limit=100');
  const deployments = (body.items ?? []) as readonly Readonly<Record<string, unknown>>[];
  for (const { deploymentId, name, createdAt } of deployments)
    if (trialName.test(String(name)) && Date.now() - Date.parse(String(createdAt)) > abandonedMs)
      await callApi(target, 'DELETE', `/deployments/${String(deploymentId)}`);
}

async function callApi(
  target: Target,
  method: string,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<ApiAnswer> {
  const answer = await fetch(`${target.apiUrl}/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${target.token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
    etag: answer.headers.get('etag') ?? undefined,
  };
}
