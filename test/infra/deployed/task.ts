// A task of the front door as ECS would start it: the command of the template, the variables of the template and nothing
// else of this machine, credentials and code from where a task gets them. What stands for AWS listens on the loopback
// interface; IoT Core is the local broker behind TLS.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect as dial, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import type { Template } from 'aws-cdk-lib/assertions';
import { frontDoorCode } from '../../../infra/code.ts';
import type { Certificate } from '../../../local/certificate.ts';
import { propertiesOf } from '../grants.ts';
import { account, region } from './functions.ts';

interface Container {
  readonly EntryPoint: readonly string[];
  readonly Command: readonly unknown[];
  readonly Environment: readonly { readonly Name: string }[];
}

export interface Task {
  /** What it said when it was open. */
  readonly mqttsPort: number;
  readonly healthPort: number;
  /** Lines that it logged, each of them JSON, and whatever else it wrote. */
  readonly logged: readonly string[];
  /** A line with this message. */
  said(message: string): Promise<Readonly<Record<string, unknown>>>;
  /** As ECS does when it wants it to go. */
  terminate(): void;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

export interface TaskHost {
  start(variables: Readonly<Record<string, string>>): Promise<Task>;
  close(): Promise<void>;
}

export const portOf = (server: Server): number => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
};

const listening = async <T extends Server>(server: T): Promise<T> => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
};

/** TLS in front of a broker on the loopback interface, as IoT Core has it. */
export async function startTlsBefore(port: number, certificate: Certificate): Promise<Server> {
  return listening(
    createTlsServer(certificate, (socket: Socket) => {
      const broker = dial({ host: '127.0.0.1', port });
      pipeline(socket, broker, () => undefined);
      pipeline(broker, socket, () => undefined);
    }),
  );
}

/** `trusted`: the certificate of who stands for AWS, which the machine's own authorities do not know. */
export async function startTaskHost(template: Template, trusted: Certificate): Promise<TaskHost> {
  const folder = mkdtempSync(join(tmpdir(), 'headcount-task-'));
  writeFileSync(join(folder, 'authority.pem'), trusted.cert);
  const code = readFileSync(frontDoorCode().path);
  const server = await listening(
    createServer((request, response) => {
      const credentials = {
        AccessKeyId: 'AKIDEXAMPLE',
        SecretAccessKey: 'of the task',
        Token: 'for a while',
        Expiration: new Date(Date.now() + 3_600_000).toISOString(),
        RoleArn: `arn:aws:iam::${account}:role/TaskRole`,
      };
      if (request.url === '/code.mjs') response.end(code);
      else if (request.url === '/credentials') response.end(JSON.stringify(credentials));
      else response.writeHead(404).end();
    }),
  );
  const base = `http://127.0.0.1:${portOf(server)}`;
  const { ContainerDefinitions } = propertiesOf(template, 'AWS::ECS::TaskDefinition', 'Task') as {
    readonly ContainerDefinitions: readonly Container[];
  };
  const [container] = ContainerDefinitions;
  if (container === undefined) throw new Error('the task has no container');
  // All of it is text but the address of the code, which CloudFormation fills in.
  const command = container.Command.map((word) => (typeof word === 'string' ? word : `${base}/code.mjs`));
  const children: ChildProcess[] = [];

  return {
    async start(variables) {
      const given = container.Environment.map(({ Name }) => {
        const value = variables[Name];
        if (value === undefined) throw new Error(`the test has no value for ${Name}`);
        return [Name, value] as const;
      });
      const child = spawn(process.execPath, command, {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...Object.fromEntries(given),
          AWS_REGION: region,
          AWS_CONTAINER_CREDENTIALS_FULL_URI: `${base}/credentials`,
          // The one for whoever is not AWS, and whom to believe there.
          AWS_ENDPOINT_URL: variables.AWS_ENDPOINT_URL ?? '',
          NODE_EXTRA_CA_CERTS: join(folder, 'authority.pem'),
          AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
        },
      });
      children.push(child);
      return watch(child);
    },
    async close() {
      for (const child of children) child.kill('SIGKILL');
      server.closeAllConnections();
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function watch(child: ChildProcess): Promise<Task> {
  const logged: string[] = [];
  const waiting = new Set<() => void>();
  let over = false;
  const wake = (): void => {
    for (const check of waiting) check();
  };
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream?.on('data', (chunk: Buffer) => {
      const lines = `${rest}${chunk.toString()}`.split('\n');
      rest = lines.pop() ?? '';
      logged.push(...lines.filter((line) => line !== ''));
      wake();
    });
  }
  const ended = once(child, 'exit').then(([code, signal]: unknown[]) => {
    over = true;
    wake();
    return { code: code as number | null, signal: signal as NodeJS.Signals | null };
  });
  const said = (message: string): Promise<Readonly<Record<string, unknown>>> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const found = logged.map(parse).find((entry) => entry.message === message);
        if (found === undefined && !over) return;
        waiting.delete(check);
        if (found === undefined) reject(new Error(`it ended without "${message}": ${logged.join('\n')}`));
        else resolve(found);
      };
      waiting.add(check);
      check();
    });
  const { port, healthPort } = await said('the front door is open');
  return {
    mqttsPort: Number(port),
    healthPort: Number(healthPort),
    logged,
    said,
    terminate: () => void child.kill('SIGTERM'),
    ended,
  };
}

function parse(line: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
}
