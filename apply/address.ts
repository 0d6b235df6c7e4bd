// Where the API is. The token is a password: it travels encrypted, or does not leave this machine.

export type Address =
  | { readonly ok: true; readonly baseUrl: string }
  | { readonly ok: false; readonly problem: string };

const isLoopback = (host: string): boolean => /^(localhost\.?|\[::1\]|127\.\d+\.\d+\.\d+)$/.test(host);

export function parseAddress(given: string): Address {
  if (!URL.canParse(given))
    return { ok: false, problem: `HEADCOUNT_URL is "${given}"; it is a URL such as https://api.example.com` };
  const { protocol, hostname, host, pathname, username, password } = new URL(given);
  if (username !== '' || password !== '')
    return { ok: false, problem: 'HEADCOUNT_URL holds a user name or a password; the token goes into HEADCOUNT_TOKEN' };
  if (protocol !== 'https:' && !(protocol === 'http:' && isLoopback(hostname)))
    return { ok: false, problem: `HEADCOUNT_URL is "${given}"; the token is sent to another machine over https only` };
  return { ok: true, baseUrl: `${protocol}//${host}${pathname.replace(/\/+$/, '')}` };
}
