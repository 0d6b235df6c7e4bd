// Time as the domain sees it: numbers with a unit in their type. Nothing here reads a clock.

declare const unit: unique symbol;

/** A point in time: milliseconds since the Unix epoch. */
export type Ms = number & { readonly [unit]: 'ms' };

/** A length of time in whole seconds. */
export type Seconds = number & { readonly [unit]: 's' };

export function ms(value: number): Ms {
  return value as Ms;
}

export function seconds(value: number): Seconds {
  return value as Seconds;
}

export function addSeconds(at: Ms, length: Seconds): Ms {
  return (at + length * 1000) as Ms;
}

/** Epoch seconds, rounded up, as a DynamoDB TTL attribute wants them. */
export function toEpochSeconds(at: Ms): number {
  return Math.ceil(at / 1000);
}

export function later(a: Ms, b: Ms): Ms {
  return a > b ? a : b;
}
