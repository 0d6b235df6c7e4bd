// The TLS server name that stands for a deployment: one label below the MQTT domain of the installation (S25). The domain
// is written in lower case.

import type { Parsed } from './ids.ts';

const labelPattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** A server name may be set to one label below the domain, and to nothing without a domain. Kept in lower case. */
export function parseMqttHost(raw: string, domain: string | undefined): Parsed<string> {
  if (domain === undefined) return { ok: false, problem: 'cannot be set: this installation has no MQTT domain' };
  const host = raw.toLowerCase();
  // Case folding makes ASCII out of some other letters, as U+212A.
  const label = /^[\x21-\x7e]*$/.test(raw) ? labelBelow(host, domain) : undefined;
  return label !== undefined && isHostLabel(label) && host === `${label}.${domain}`
    ? { ok: true, value: host }
    : { ok: false, problem: `must be one label below ${domain}, as fleet.${domain}` };
}

/** 1 to 63 letters, digits and inner hyphens, in lower case [RFC 1123, 2.1]. */
export function isHostLabel(label: string): boolean {
  return labelPattern.test(label);
}

/** What a server name has before the domain, whatever it is; undefined where the name does not lie below the domain. */
export function labelBelow(serverName: string, domain: string): string | undefined {
  // Some TLS clients send the final dot of DNS.
  const name = serverName.toLowerCase().replace(/\.$/, '');
  return name.endsWith(`.${domain}`) ? name.slice(0, -domain.length - 1) : undefined;
}
