// Which IP addresses belong to somebody on the internet. What a tenant's URL names is fetched from inside the account,
// so everything that only means something here is refused: this machine, its network, the cloud's metadata, and every
// notation of them inside IPv6. [RFC 6890, IANA special-purpose address registries]

import { BlockList, isIPv4, isIPv6 } from 'node:net';

const special = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  // Link-local; 169.254.169.254 is the metadata service.
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  // Multicast, reserved, broadcast.
  ['224.0.0.0', 3],
] as const)
  special.addSubnet(network, prefix, 'ipv4');

// Of IPv6 only global unicast, 2000::/3, is anybody's; these are the parts of it that are not, or that carry an IPv4
// address. Mapped ones, NAT64, link-local, unique local and loopback lie outside of it.
const global = new BlockList();
global.addSubnet('2000::', 3, 'ipv6');
const specialOfGlobal = new BlockList();
for (const [network, prefix] of [
  // Teredo, benchmarking, ORCHID and the rest of the protocol assignments.
  ['2001::', 23],
  ['2001:db8::', 32],
  // 6to4.
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3fff::', 20],
] as const)
  specialOfGlobal.addSubnet(network, prefix, 'ipv6');

/** `address`: as the resolver gave it, or as it stands in a URL, without brackets. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !special.check(address, 'ipv4');
  // A zone names an interface of this machine.
  if (!isIPv6(address) || address.includes('%')) return false;
  return global.check(address, 'ipv6') && !specialOfGlobal.check(address, 'ipv6');
}
