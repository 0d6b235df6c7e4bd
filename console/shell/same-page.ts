// Addresses that came from outside, as places of this origin.

/**
 * Path and query with single slashes. A path that begins with two is a host to a browser: `//x/` would lead there, or
 * make `history` throw.
 */
export function samePage(address: string): string {
  const query = address.indexOf('?');
  const path = query < 0 ? address : address.slice(0, query);
  return `/${path
    .replaceAll(/[\t\n\r]/g, '')
    .replaceAll(/[\\/]+/g, '/')
    .replace(/^\//, '')}${query < 0 ? '' : address.slice(query)}`;
}
