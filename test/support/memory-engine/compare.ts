// How DynamoDB compares values: never with one of another type, strings and bytes by their bytes.

const beyondAscii = /[^\0-\x7f]/;

/** Strings in order of their UTF-8 bytes. */
function compareText(a: string, b: string): number {
  if (beyondAscii.test(a) || beyondAscii.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Undefined where the two cannot be put in order. */
export function order(a: unknown, b: unknown): number | undefined {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  return undefined;
}

export function isEqual(a: unknown, b: unknown): boolean {
  if (typeof a === 'boolean' || typeof b === 'boolean') return a === b;
  return order(a, b) === 0;
}

/** Members of a set: bytes are no keys of a JavaScript set, so they are looked through. */
export function hasMember(set: ReadonlySet<unknown>, value: unknown): boolean {
  if (!(value instanceof Uint8Array)) return set.has(value);
  for (const member of set) if (isEqual(member, value)) return true;
  return false;
}

/** A member of a set as something that a JavaScript set can tell apart. */
export function memberKey(value: unknown): unknown {
  return value instanceof Uint8Array
    ? Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1')
    : value;
}
