import type { AttemptId, Place } from '../../domain/ids.ts';

/** The only source of randomness of the core. */
export interface Random {
  /** 128 random bits. */
  attemptId(): AttemptId;
  /** 64 random bits; unique inside one username's roster for all practical purposes. */
  place(): Place;
  /** 48 random bits, for the revision of an item: equal only if nobody wrote in between. */
  revision(): string;
}
