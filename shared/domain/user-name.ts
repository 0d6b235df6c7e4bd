// The MQTT user name as it arrives: `<username>?deployment=<id>&ticket=<ticket>&x-amz-…`. All of it may be absent.

export interface UserNameParts {
  readonly username: string;
  readonly deployment?: string;
  readonly ticket?: string;
}

/** Everything from the first `?` on is the suffix. Names that nobody knows are dropped; of a repeated one the first holds. */
export function splitUserName(raw: string): UserNameParts {
  const mark = raw.indexOf('?');
  if (mark < 0) return { username: raw };
  const query = new URLSearchParams(raw.slice(mark + 1));
  const deployment = query.get('deployment');
  const ticket = query.get('ticket');
  return {
    username: raw.slice(0, mark),
    ...(deployment === null ? {} : { deployment }),
    ...(ticket === null ? {} : { ticket }),
  };
}

export function joinUserName(username: string, deployment: string, ticket: string): string {
  return `${username}?${new URLSearchParams({ deployment, ticket }).toString()}`;
}
