import { type ConsoleConfig, parseConsoleConfig } from './config.ts';

/** With a token, the local server says what that token is good for. */
export async function loadConsoleConfig(token?: string): Promise<ConsoleConfig> {
  const answer = await fetch('/config.json', {
    cache: 'no-store',
    credentials: 'omit',
    ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
  });
  if (answer.status === 401) throw new Error('The server does not know this token.');
  if (!answer.ok) throw new Error(`config.json could not be read: the server answered ${answer.status}.`);
  return parseConsoleConfig(await answer.json());
}
