// What may become of a call at the gate.

import type { Call } from './gates.ts';

export type Fate =
  | 'passes'
  /** The process dies, the request was never sent. */
  | 'dies before'
  /** The request is carried out, the process dies before it hears. */
  | 'dies after'
  /** The answer does not come in time; the request was carried out. */
  | 'times out, done'
  /** The answer does not come in time; the request never arrived. */
  | 'times out, lost'
  /** The answer does not come in time; the request still lies in the network, and arrives later. */
  | 'times out, late'
  | 'is throttled'
  /** Carried out, the answer is lost, and the SDK sends the same request again. */
  | 'is sent twice'
  /** An eventually consistent read answers what was true some writes ago. */
  | 'reads stale'
  /** The broker cannot say. */
  | 'is not known';

/** How often, of 100 calls, something happens. */
export interface FaultRates {
  readonly deaths: number;
  readonly timeouts: number;
  readonly stale: number;
  readonly unknown: number;
}

/** `draw`: 0 to 9,999. */
export function chooseFate(call: Call, rates: FaultRates, draw: number): Fate {
  let left = draw / 100;
  const within = (share: number): boolean => {
    left -= share;
    return left < 0;
  };
  if (within(rates.deaths / 2)) return 'dies before';
  if (within(rates.deaths / 2)) return call.to === 'store' && call.writes ? 'dies after' : 'dies before';
  if (call.to === 'broker') return within(rates.unknown) ? 'is not known' : 'passes';
  if (within(rates.timeouts / 5)) return call.writes ? 'times out, done' : 'times out, lost';
  if (within(rates.timeouts / 5)) return 'times out, lost';
  if (within(rates.timeouts / 5)) return 'is throttled';
  if (within(rates.timeouts / 5)) return call.writes ? 'times out, late' : 'times out, lost';
  if (within(rates.timeouts / 5)) return 'is sent twice';
  if (isEventual(call) && within(rates.stale)) return 'reads stale';
  return 'passes';
}

/** Index reads, and the batch at the start of a CONNECT. */
function isEventual(call: Call): boolean {
  if (call.to === 'broker') return false;
  return call.name === 'BatchGetCommand' || (call.name === 'QueryCommand' && 'IndexName' in call.command.input);
}

/** As the SDK throws it; the adapter knows these by their name. */
export function sdkError(name: 'TimeoutError' | 'ProvisionedThroughputExceededException'): Error {
  const error = new Error('made by the schedule');
  error.name = name;
  return error;
}
