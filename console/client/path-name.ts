// Names in paths. Always the second form of the contract: `~` and the base64url of the UTF-8 bytes. It survives every
// gateway and URL parser, and carries every legal character.

export function pathName(name: string): string {
  const bytes = new TextEncoder().encode(name);
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return `~${btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`;
}

/** Undefined for what `pathName` cannot have written: deep links are typed and cut by people. */
export function parsePathName(segment: string): string | undefined {
  if (!segment.startsWith('~')) return undefined;
  try {
    const binary = atob(segment.slice(1).replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
