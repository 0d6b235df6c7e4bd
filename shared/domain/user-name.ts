// The MQTT user name as it arrives: `<username>?deployment=<id>&ticket=<ticket>&x-amz-…`. All of it may be absent.

export interface UserNameParts {
  readonly username: string;
  readonly deployment?: string;
  readonly ticket?: string;
}

/**
 * Everything from the first `?` on is the suffix. Its parts are divided by `&` or `?`, since the AWS device SDKs append
 * `?SDK=…&Version=…` to a suffix that is there already. Unknown names are dropped.
 */
export function splitUserName(raw: string): UserNameParts {
  const mark = raw.indexOf('?');
  if (mark < 0) return { username: raw };
  const query = new URLSearchParams(raw.slice(mark).replaceAll('?', '&'));
  const deployment = onlyOne(query.getAll('deployment'));
  const ticket = onlyOne(query.getAll('ticket'));
  return {
    username: raw.slice(0, mark),
    ...(deployment === undefined ? {} : { deployment }),
    ...(ticket === undefined ? {} : { ticket }),
  };
}

/** Two different values are as good as a wrong one: the empty text is no deployment and no ticket. */
function onlyOne(values: readonly string[]): string | undefined {
  const [first, ...others] = values;
  return others.every((value) => value === first) ? first : '';
}

export function joinUserName(username: string, deployment: string, ticket: string): string {
  return `${username}?${new URLSearchParams({ deployment, ticket }).toString()}`;
}
