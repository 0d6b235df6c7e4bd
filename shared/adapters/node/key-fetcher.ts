// Fetches a JWK set from a tenant's URL without letting the tenant reach anything inside (SSRF): https and its own port
// only, no credentials in the URL, no redirects, public addresses only. The address is looked at where it is used: the
// name is resolved once, every address of it is checked, and the connection goes to one of those very addresses, so a
// name that points elsewhere a moment later changes nothing.

import { lookup as resolveName } from 'node:dns';
import { request } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { type FetchedKeys, jwksUrlUnreachable, type KeyFetcher } from '../../ports/credentials/token-issuer.ts';
import { isPublicAddress } from './public-address.ts';

export interface KeyFetcherOptions {
  /** From the name to the last byte; 5 s unless told. */
  readonly timeoutMs?: number;
  /** 64 KB unless told: a JWK set of 16 keys has less. */
  readonly maxBytes?: number;
  /** Others than the real ones are for tests, which reach nothing beyond this machine. */
  readonly resolve?: LookupFunction;
  readonly isAllowed?: (address: string) => boolean;
  readonly allowedPorts?: readonly string[];
  readonly ca?: string | Buffer;
}

class Refused extends Error {}

const resolveAll: LookupFunction = (hostname, options, answer) =>
  resolveName(hostname, { ...options, all: true }, answer);

export function createKeyFetcher(options: KeyFetcherOptions = {}): KeyFetcher {
  const { timeoutMs = 5_000, maxBytes = 65_536, resolve = resolveAll, isAllowed = isPublicAddress } = options;
  const { allowedPorts = ['', '443'], ca } = options;

  const lookup: LookupFunction = (hostname, how, answer) =>
    resolve(hostname, { ...how, all: true }, (error, found) => {
      if (error !== null) return answer(error, []);
      const addresses = typeof found === 'string' ? [{ address: found, family: isIP(found) }] : found;
      // One that is not public is enough: who names it beside others wants it to be tried.
      if (addresses.length === 0 || addresses.some(({ address }) => !isAllowed(address)))
        return answer(new Refused('not a public address'), []);
      const [first] = addresses;
      if (how.all === true) answer(null, [...addresses]);
      else answer(null, first?.address ?? '', first?.family ?? 4);
    });

  function parse(text: string): URL | undefined {
    if (!URL.canParse(text)) return undefined;
    const url = new URL(text);
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    if (url.protocol !== 'https:' || url.username !== '' || url.password !== '') return undefined;
    if (!allowedPorts.includes(url.port)) return undefined;
    // An address is connected to without asking the resolver, so it is looked at here. The URL parser has written every
    // other notation of it (0x7f.1, 2130706433) as the usual one.
    return isIP(host) !== 0 && !isAllowed(host) ? undefined : url;
  }

  function get(url: URL, signal: AbortSignal): Promise<Buffer | string> {
    return new Promise((settle, fail) => {
      const asked = request(
        url,
        {
          lookup,
          signal,
          agent: false,
          maxHeaderSize: 16_384,
          headers: { accept: 'application/jwk-set+json, application/json' },
          ...(ca === undefined ? {} : { ca }),
        },
        (answer) => {
          if (answer.statusCode !== 200) {
            asked.destroy();
            return settle(`jwksUrl answered ${answer.statusCode}, not 200; redirects are not followed`);
          }
          const chunks: Buffer[] = [];
          let length = 0;
          answer.on('data', (chunk: Buffer) => {
            length += chunk.length;
            chunks.push(chunk);
            if (length <= maxBytes) return;
            asked.destroy();
            settle(`jwksUrl answered with more than ${maxBytes} bytes`);
          });
          answer.on('end', () => settle(Buffer.concat(chunks)));
          answer.on('error', fail);
        },
      );
      asked.on('error', fail).end();
    });
  }

  return {
    async fetchKeys(text): Promise<FetchedKeys> {
      const url = parse(text);
      if (url === undefined) return { kind: 'refused' };
      try {
        const body = await get(url, AbortSignal.timeout(timeoutMs));
        if (typeof body === 'string') return { kind: 'failed', problem: body };
        return { kind: 'fetched', document: JSON.parse(body.toString('utf8')) };
      } catch (error) {
        if (error instanceof Refused) return { kind: 'refused' };
        if (error instanceof SyntaxError) return { kind: 'failed', problem: 'jwksUrl answered with what is not JSON' };
        return { kind: 'failed', problem: jwksUrlUnreachable };
      }
    },
  };
}
