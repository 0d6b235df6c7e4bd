// A process of its own for what must not share memory, environment or modules with the measuring one. It answers by
// messages; what it prints goes nowhere, and it never outlives its parent.

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Child {
  /** One question, one answer, in order. */
  ask<T>(question: unknown): Promise<T>;
  stop(): Promise<void>;
}

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly execArgv?: readonly string[];
}

interface Reply {
  readonly answer?: unknown;
  readonly error?: string;
}

export function startChild(script: URL, { env = {}, execArgv = [] }: ChildOptions = {}): Child {
  const child: ChildProcess = fork(fileURLToPath(script), [], {
    execArgv: ['--import', 'tsx', ...execArgv],
    env: { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true', ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-4_000);
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const killNow = (): void => void child.kill('SIGKILL');
  process.once('exit', killNow);
  return {
    ask: (question) =>
      new Promise((resolve, reject) => {
        const ended = (): void => reject(new Error(`${script.pathname} ended: ${complaint}`));
        child.once('exit', ended);
        child.once('message', (reply: Reply) => {
          child.off('exit', ended);
          if (reply.error === undefined) resolve(reply.answer as never);
          else reject(new Error(reply.error));
        });
        child.send({ question });
      }),
    async stop() {
      process.off('exit', killNow);
      killNow();
      await gone;
    },
  };
}

/** The other end: answers each question in its turn, and ends with whoever asks. */
export function answerParent(answerOne: (question: never) => Promise<unknown>): void {
  process.once('disconnect', () => process.exit());
  process.on('message', ({ question }: { question: never }) => {
    answerOne(question).then(
      (answer) => process.send?.({ answer }),
      (error: unknown) => process.send?.({ error: error instanceof Error ? (error.stack ?? '') : String(error) }),
    );
  });
}
