// The part of a source address that stands for one customer of a network. IPv6 hands a /64 to each of them, so a single
// machine has 2^64 addresses there; an IPv4 address stands for itself.

/** Undefined in, empty out: clients whose address is unknown share one key. */
export function networkOf(address: string | undefined): string {
  if (address === undefined) return '';
  const ipv4 = /(?:^|:)(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
  if (ipv4 !== undefined) return ipv4;
  const [unscoped = ''] = address.split('%');
  const [head = '', tail] = unscoped.split('::');
  const before = groupsOf(head);
  const after = groupsOf(tail ?? '');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  return `${[...before, ...Array<string>(zeros).fill('0'), ...after].slice(0, 4).join(':')}::/64`;
}

function groupsOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(':');
}
