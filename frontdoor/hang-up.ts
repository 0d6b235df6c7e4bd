// Ends a stream so that what was written to it arrives.
import type { Duplex } from 'node:stream';

/** How long a peer that does not take what was written keeps us, in milliseconds. */
const flushMs = 5_000;

/**
 * Writes the last bytes, half-closes, goes on reading and discarding, and destroys at the latest `lingerMs` after all
 * was written. Closing with unread bytes would send an RST, and an RST makes the peer lose what it has not read yet.
 */
export function hangUp(stream: Duplex, lingerMs: number, lastBytes?: Uint8Array): void {
  if (stream.destroyed) return;
  let timer = setTimeout(() => stream.destroy(), flushMs);
  stream.once('finish', () => {
    clearTimeout(timer);
    timer = setTimeout(() => stream.destroy(), lingerMs);
  });
  stream.once('close', () => clearTimeout(timer));
  stream.removeAllListeners('data');
  stream.resume();
  if (lastBytes === undefined) stream.end();
  else stream.end(lastBytes);
}

/** A client has this long to read its CONNACK or DISCONNECT before the socket goes. */
export const clientLingerMs = 2_000;

/** The end of a session is told when the broker's socket has closed, and locally that is promised within 1 s (S10). */
export const brokerLingerMs = 500;
