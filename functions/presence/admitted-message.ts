// An admission that waits to be counted, as it comes out of the queue. Only the front door, the authorizer and the rule
// may write there; it is read strictly all the same.

import { sessionExpirySecondsMax } from '../../shared/config/constants.ts';
import type { Place, SignerId } from '../../shared/domain/ids.ts';
import { seconds } from '../../shared/domain/time.ts';
import type { UncountedAdmission } from '../../shared/ports/presence/presence.ts';
import { fieldsOf, parseAttemptFields } from './message.ts';

/** 8 bytes, in the one form that the table gives back: 64 bits in 11 characters leave the last two bits of the last zero. */
const placePattern = /^[A-Za-z0-9_-]{10}[AEIMQUYcgkosw048]$/;

/** 16 bytes. */
const signerPattern = /^[A-Za-z0-9_-]{22}$/;

/** Undefined: not one. Throws where it says to be one and is not. */
export function parseAdmitted(body: unknown): UncountedAdmission | undefined {
  const given = fieldsOf(body);
  if (given?.type !== 'admitted') return undefined;
  const malformed = (what: string) => new TypeError(`malformed admission: ${what}`);
  const { place, expirySeconds, witness, signedBy, protocolVersion, ipAddress } = given;
  if (typeof place !== 'string' || !placePattern.test(place)) throw malformed('place');
  if (typeof expirySeconds !== 'number' || !Number.isInteger(expirySeconds)) throw malformed('expirySeconds');
  if (expirySeconds < 0 || expirySeconds > sessionExpirySecondsMax) throw malformed('expirySeconds');
  if (witness !== 'door' && witness !== 'broker') throw malformed('witness');
  if (signedBy !== undefined && (typeof signedBy !== 'string' || !signerPattern.test(signedBy)))
    throw malformed('signedBy');
  if (protocolVersion !== undefined && protocolVersion !== 3 && protocolVersion !== 4 && protocolVersion !== 5)
    throw malformed('protocolVersion');
  if (ipAddress !== undefined && typeof ipAddress !== 'string') throw malformed('ipAddress');
  return {
    type: 'admitted',
    ...parseAttemptFields(given, 'admission'),
    place: place as Place,
    expirySeconds: seconds(expirySeconds),
    witness,
    ...(signedBy === undefined ? {} : { signedBy: signedBy as SignerId }),
    ...(protocolVersion === undefined ? {} : { protocolVersion }),
    ...(ipAddress === undefined ? {} : { ipAddress }),
  };
}
