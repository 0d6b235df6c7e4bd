// The TLS server name that stands for a deployment.

import type { Parsed } from './ids.ts';

/** Labels of 1 to 63 letters, digits and inner hyphens; at least two of them, the last one no number [RFC 1123, 2.1]. */
const hostPattern =
  /^(?=.{3,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?![0-9]+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

/** Server names are compared without regard to case, so they are kept in lower case. */
export function parseMqttHost(raw: string): Parsed<string> {
  return hostPattern.test(raw)
    ? { ok: true, value: raw.toLowerCase() }
    : { ok: false, problem: 'must be a DNS name of at least two labels, as mqtt.example.com' };
}

/** AWS's own names are those of endpoints that deployments share; none of them stands for one. */
export function isOfAws(host: string): boolean {
  return isWithin(host, 'amazonaws.com') || isWithin(host, 'amazonaws.com.cn');
}

/** Whether a name is the domain or lies below it. */
export function isWithin(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}
