// Names of this machine: what `BIND_HOST` means, how an address stands in a URL, and which `Host` HTTP answers to.
// A page of another site whose name was made to point here must get nothing, so a name counts only if it was given.

import { isIPv6 } from 'node:net';

const wildcards: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** Of a `Host` header or a setting: lower case, without port, brackets and the dot at the end. Undefined: none. */
export function parseHost(raw: string): string | undefined {
  const given = raw.trim();
  const text = isIPv6(given) ? `[${given}]` : given;
  if (text === '' || /[@/?#\\]/.test(text) || !URL.canParse(`http://${text}`)) return undefined;
  return new URL(`http://${text}`).hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

export function isWildcard(host: string): boolean {
  return host in wildcards;
}

/** Where a client on this machine reaches what listens on `bindHost`. */
export function reachableHost(bindHost: string): string {
  return wildcards[bindHost] ?? bindHost;
}

export function inUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

export interface HostCheck {
  /** `localAddress`: this machine's end of the connection. */
  answersTo(hostHeader: string | null, localAddress: string | undefined): boolean;
}

/** This machine's loopback names, `bindHost`, the address that was connected to, and the names that were given. */
export function createHostCheck(bindHost: string, allowedHosts: readonly string[]): HostCheck {
  const known = new Set(['localhost', '127.0.0.1', '::1', bindHost, ...allowedHosts]);
  return {
    answersTo(hostHeader, localAddress) {
      const host = parseHost(hostHeader ?? '');
      if (host === undefined) return false;
      // An address cannot be made to point elsewhere, as a name can.
      return known.has(host) || host === localAddress?.replace(/^::ffff:/, '');
    },
  };
}

const loopback = /^(127\.|::1$|::ffff:127\.)/;

/**
 * Whether a program on this machine asks, under a name of this machine. What came through a proxy may come from anywhere,
 * and a forwarder on this machine may keep the name that it was asked for, and add no header.
 */
export function isAskedHere({ headers, url }: Request, peer: string | undefined): boolean {
  const proxied = headers.has('forwarded') || headers.has('x-forwarded-for');
  return peer !== undefined && loopback.test(peer) && !proxied && isLoopback(parseHost(new URL(url).host) ?? '');
}
