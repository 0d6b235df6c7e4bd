// An installation as its users meet it: the HTTP API with a token of a tenant, and MQTT at the front door or straight at
// the broker. A deployed stack is one, and so is the local run.

import { randomBytes } from 'node:crypto';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';

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
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A deployment made for one run of the checks, with MQTT users of its own, and gone after it. */
export class Trial {
  readonly target: Target;
  readonly deploymentId: string;
  readonly #passwords = new Map<string, string>();
  readonly #clients: MqttClient[] = [];

  private constructor(target: Target, deploymentId: string) {
    this.target = target;
    this.deploymentId = deploymentId;
  }

  static async begin(target: Target): Promise<Trial> {
    const name = `trial ${randomBytes(4).toString('hex')}`;
    const made = await callApi(target, 'POST', '/deployments', { name });
    if (made.status !== 201) throw new Error(`no deployment could be made: ${JSON.stringify(made)}`);
    return new Trial(target, String(made.body.deploymentId));
  }

  /** Ends its clients and asks for the deployment to be deleted. */
  async end(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.endAsync(true).catch(() => undefined)));
    await callApi(this.target, 'DELETE', `/deployments/${this.deploymentId}`);
  }

  api(method: string, path: string, body?: object): Promise<ApiAnswer> {
    return callApi(this.target, method, `/deployments/${this.deploymentId}${path}`, body);
  }

  /** A username of this name's own for each check, so that none meets what another left. */
  async user(username: string): Promise<string> {
    const { status, body } = await this.api('PUT', `/credentials/${username}`, {});
    if (status !== 201) throw new Error(`no credential could be made: ${status}`);
    this.#passwords.set(username, String(body.password));
    return username;
  }

  async limit(maxSessionsPerUsername: number): Promise<void> {
    const { status } = await this.api('PUT', '/session-limit', { maxSessionsPerUsername });
    if (status >= 300) throw new Error(`no limit could be set: ${status}`);
    await this.target.settled();
  }

  /** Rejects where the CONNECT is refused. */
  async join(username: string, clientId: string, options: IClientOptions = {}): Promise<MqttClient> {
    const { deploymentId, target } = this;
    const client = await connectAsync(
      target.mqttUrl(deploymentId),
      {
        protocolVersion: 5,
        clean: true,
        reconnectPeriod: 0,
        connectTimeout: 20_000,
        password: this.#passwords.get(username) ?? '',
        ...target.tls,
        ...options,
        clientId: target.entry === 'door' ? clientId : `${deploymentId}:${clientId}`,
        username: `${username}?deployment=${deploymentId}`,
      },
      false,
    );
    client.on('error', () => undefined);
    this.#clients.push(client);
    return client;
  }

  /** The code that a refused CONNECT is told; undefined where the socket was only closed. */
  async refusal(username: string, clientId: string, options: IClientOptions = {}): Promise<number | undefined> {
    try {
      await this.join(username, clientId, options);
    } catch (error) {
      const code = (error as { readonly code?: unknown }).code;
      return typeof code === 'number' ? code : undefined;
    }
    throw new Error(`the CONNECT of ${clientId} was not refused`);
  }

  async used(username: string): Promise<number> {
    const { status, body } = await this.api('GET', `/session-usage/${username}`);
    return status === 404 ? 0 : Number(body.used);
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

async function callApi(target: Target, method: string, path: string, body?: object): Promise<ApiAnswer> {
  const answer = await fetch(`${target.apiUrl}/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${target.token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) };
}
