// A password's new digest as it comes out of the presence queue. Only the front door and the authorizer may write there;
// it is read strictly all the same.

import { parseDeploymentId, parseUsername } from '../../shared/domain/ids.ts';
import type { HashRenewal } from '../../shared/ports/credentials/credentials.ts';
import { fieldsOf, required } from './message.ts';

/** Undefined: something else. Throws where it says to be one and is not. */
export function parseRenewedHash(body: unknown): HashRenewal | undefined {
  const message = fieldsOf(body);
  if (message?.type !== 'password.renewed') return undefined;
  const what = 'renewal of a password';
  const text = (name: string): string => {
    const value = message[name];
    if (typeof value !== 'string' || value === '') throw new TypeError(`malformed ${what}: ${name} is a text`);
    return value;
  };
  const bytes = (name: string): Uint8Array => Buffer.from(text(name), 'base64');
  const whole = (name: string): number => {
    const value = message[name];
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1)
      throw new TypeError(`malformed ${what}: ${name} is a whole number`);
    return value;
  };
  return {
    deploymentId: required(parseDeploymentId(message.deploymentId), what),
    username: required(parseUsername(message.username), what),
    seen: bytes('seen'),
    hash: {
      keyId: text('keyId'),
      salt: bytes('salt'),
      digest: bytes('digest'),
      n: whole('n'),
      r: whole('r'),
      p: whole('p'),
    },
  };
}
