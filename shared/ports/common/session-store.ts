import type { ConnectReader, Owners } from '../admission/owners.ts';
import type { CountRepair } from '../counter/count-repair.ts';
import type { Counter } from '../counter/counter.ts';
import type { Sessions } from '../presence/sessions.ts';
import type { Due } from '../repair/due.ts';

/**
 * Sessions, client id owners and rosters. Each method changes at most one thing, atomically: most are one request to the
 * database; those that touch a wide roster may be more, and each of these leaves what is counted as it is. Every method
 * throws StoreUnavailable where the database does not answer in time, and then may or may not have written: all of them
 * may be repeated, and do no more the second time than the first.
 */
export interface SessionStore extends ConnectReader, Sessions, Owners, Counter, CountRepair, Due {}
