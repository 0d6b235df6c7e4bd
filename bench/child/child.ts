// A process of its own for what must not share memory, environment or modules with the measuring one. It is called by
// messages; what it prints goes nowhere, and it never outlives its parent.

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What a process can be asked to do. Arguments and answers are copied. */
type Calls = Readonly<Record<string, (...args: never[]) => Promise<unknown>>>;

export interface Child<Api extends Calls> {
  /** One call at a time. */
  readonly call: Api;
  stop(): Promise<void>;
}

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly execArgv?: readonly string[];
}

interface Message {
  readonly name: string;
  readonly args: readonly unknown[];
}

interface Reply {
  readonly answer?: unknown;
  readonly error?: string;
}

/** `Api` is what the script gives to `answerParent`. */
export function startChild<Api extends Calls>(script: URL, { env = {}, execArgv = [] }: ChildOptions = {}): Child<Api> {
  const child: ChildProcess = fork(fileURLToPath(script), [], {
    execArgv: ['--import', 'tsx', ...execArgv],
    env: { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true', ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // JSON has no `undefined`, and would make a null of one.
    serialization: 'advanced',
  });
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-4_000);
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const killNow = (): void => void child.kill('SIGKILL');
  process.once('exit', killNow);
  const send = (message: Message): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error(`${script.pathname} ended: ${complaint}`));
      child.once('exit', ended);
      child.once('message', (reply: Reply) => {
        child.off('exit', ended);
        if (reply.error === undefined) resolve(reply.answer);
        else reject(new Error(reply.error));
      });
      child.send(message);
    });
  const call = new Proxy({} as Api, {
    get:
      (_, name) =>
      (...args: unknown[]) =>
        send({ name: String(name), args }),
  });
  return {
    call,
    async stop() {
      process.off('exit', killNow);
      killNow();
      await gone;
    },
  };
}

/** The child's end: answers each call in its turn, and ends with its parent. Returns `api`, whose type the parent uses. */
export function answerParent<Api extends Calls>(api: Api): Api {
  process.once('disconnect', () => process.exit());
  process.on('message', ({ name, args }: Message) => {
    const work = api[name] as ((...args: readonly unknown[]) => Promise<unknown>) | undefined;
    if (work === undefined) throw new Error(`nobody here does ${name}`);
    work(...args).then(
      (answer) => process.send?.({ answer }),
      (error: unknown) => process.send?.({ error: error instanceof Error ? (error.stack ?? '') : String(error) }),
    );
  });
  return api;
}
