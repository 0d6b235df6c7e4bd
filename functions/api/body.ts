// A request's JSON body, read no further than its bound.

import { type Answer, problem } from './answer.ts';

const jsonTypes: ReadonlySet<string> = new Set(['application/json', 'application/merge-patch+json']);

export type ReadBody = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly answer: Answer };

const refused = (answer: Answer): ReadBody => ({ ok: false, answer });

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

export async function readJson(request: Request, maxBytes: number): Promise<ReadBody> {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type === undefined || !jsonTypes.has(type))
    return refused(problem(415, 'body.unsupported_type', 'The body must be application/json.'));
  const tooLarge = problem(413, 'body.too_large', `The body must be at most ${maxBytes} bytes.`);
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) return refused(tooLarge);
  const bytes = await readBytes(request, maxBytes);
  if (bytes === undefined) return refused(tooLarge);
  try {
    return { ok: true, value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) };
  } catch {
    return refused(problem(400, 'body.malformed', 'The body is not JSON in UTF-8.'));
  }
}
