// A request's JSON body, read no further than its bound. Reading comes apart from parsing: a client may send slowly.

import { setImmediate as turn } from 'node:timers/promises';

import { type Answer, problem } from './answer.ts';

const jsonTypes: ReadonlySet<string> = new Set(['application/json', 'application/merge-patch+json']);

export type Sent = { readonly ok: true; readonly bytes: Uint8Array } | { readonly ok: false; readonly answer: Answer };
export type ReadBody = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly answer: Answer };

const refused = (answer: Answer) => ({ ok: false, answer }) as const;
const malformed = refused(problem(400, 'body.malformed', 'The body is not JSON in UTF-8.'));

/** So many bytes are parsed and checked within a millisecond; after more, other work of the process has its turn. */
const bytesAtOnce = 64_000;

async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Counted as it comes: a length that is only announced may be absent or a lie.
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength;
    if (length > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** What was sent, or why it is not taken. */
export async function receive(request: Request, maxBytes: number): Promise<Sent> {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type === undefined || !jsonTypes.has(type))
    return refused(problem(415, 'body.unsupported_type', 'The body must be application/json.'));
  const tooLarge = problem(413, 'body.too_large', `The body must be at most ${maxBytes} bytes.`);
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) return refused(tooLarge);
  try {
    const bytes = await readBytes(request, maxBytes);
    return bytes === undefined ? refused(tooLarge) : { ok: true, bytes };
  } catch {
    // The client has left, or cut its body short.
    return malformed;
  }
}

export async function readJson(sent: Sent): Promise<ReadBody> {
  if (!sent.ok) return sent;
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(sent.bytes));
    if (sent.bytes.byteLength > bytesAtOnce) await turn();
    return { ok: true, value };
  } catch {
    return malformed;
  }
}
