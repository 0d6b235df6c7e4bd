// One request to the HTTP API. Every refusal becomes a sentence that says what was asked and what was answered.

import { setTimeout as pause } from 'node:timers/promises';
import { listed, oneLine } from './shown-text.ts';

export class Refused extends Error {
  override readonly name = 'Refused';
}

type Fields = Readonly<Record<string, unknown>>;

export interface Answer {
  readonly status: number;
  readonly etag: string;
  readonly body: Fields;
}

export interface Ask {
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** A refusal that is an answer. */
  readonly accept?: number;
}

export type Call = (method: string, path: string, ask?: Ask) => Promise<Answer>;

const requestTimeoutMs = 30_000;
/** A tenant that does much at once is told to come again: nothing has been done then. */
const triesMax = 10;
const waitMaxSeconds = 30;
/** An answer that is none of the API's, as a page of a proxy, is told so far. */
const toldMax = 300;

function secondsToWait(answer: Response): number {
  const told = Number(answer.headers.get('retry-after') ?? 1);
  return told >= 0 && told <= waitMaxSeconds ? told : waitMaxSeconds;
}

/** `told` hears the scopes of the token, where an answer names them. */
export function createCall(baseUrl: string, token: string, told: (scopes: ReadonlySet<string>) => void): Call {
  return async (method, path, { body, headers = {}, accept } = {}) => {
    const send = () =>
      fetch(`${baseUrl}/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        redirect: 'error',
        signal: AbortSignal.timeout(requestTimeoutMs),
      });
    let answer = await send();
    for (let tried = 1; answer.status === 429 && tried < triesMax; tried += 1) {
      await answer.body?.cancel();
      await pause(secondsToWait(answer) * 1_000);
      answer = await send();
    }
    const scopes = answer.headers.get('x-scopes');
    if (scopes !== null) told(new Set(scopes.split(' ')));
    const text = await answer.text();
    const fields = parse(text);
    if (!answer.ok && answer.status !== accept)
      throw new Refused(`${method} ${path} was answered ${answer.status}: ${reasonIn(fields, text)}`);
    if (answer.ok && text !== '' && fields === undefined)
      throw new Refused(`${method} ${path} was not answered by the API: ${oneLine(text.slice(0, toldMax))}`);
    return { status: answer.status, etag: answer.headers.get('etag') ?? '', body: fields ?? {} };
  };
}

function parse(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** All that a problem document says: its detail, its code, and each fault of the request. */
function reasonIn(fields: Fields | undefined, text: string): string {
  if (fields === undefined) return oneLine(text.slice(0, toldMax));
  const errors = Array.isArray(fields.errors) ? (fields.errors as readonly Fields[]) : [];
  const code = fields.code === undefined ? '' : ` (${String(fields.code)})`;
  const faults = errors.map((fault) => `${String(fault.in)} ${String(fault.name)}: ${String(fault.detail)}`);
  const first = `${String(fields.detail ?? fields.message ?? '')}${code}`;
  return oneLine(faults.length === 0 ? first : `${first}; ${listed(faults, '; ')}`);
}
