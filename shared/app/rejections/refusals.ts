// Rejections: what the product tells of refused CONNECTs (S5, S6). They are summed up in each process, so that a storm of
// rejections costs the database next to nothing. This folder must not know why a CONNECT was refused beyond its reason,
// and it decides nothing.
//
// This file wraps everything that decides, the bound on its time included, so it tells what the client was answered. With
// valid credentials that is a record of the username and a log line with names; otherwise a log line without any.

import type { Connect, ConnectDecision, ConnectRequest } from '../../domain/connect.ts';
import { type Proven, shownClientId, toldReasons } from '../../domain/refusal.ts';
import type { Clock } from '../../ports/common/clock.ts';
import type { Log } from '../../ports/common/log.ts';
import type { RejectionRecorder } from '../../ports/rejections/rejections.ts';

/** Lines of a second about refusals before credentials, and about those of each deployment after them. */
export const strangerLinesPerSecond = 10;
export const refusalLinesPerSecond = 50;

export function tellingRefusals(
  connect: Connect,
  ports: { readonly rejections: RejectionRecorder; readonly clock: Clock; readonly log: Log },
): Connect {
  const linesOf = createLineBounds(ports.clock);

  function tell(
    request: ConnectRequest,
    { reason, detail }: ConnectDecision & { kind: 'rejected' },
    who: Proven | undefined,
  ): void {
    const told = who === undefined ? undefined : toldReasons[reason];
    const { protocolVersion, ipAddress } = request.hints ?? {};
    const from = { detail, protocolVersion, ipAddress };
    if (who === undefined || told === undefined) {
      const leftOut = linesOf('', strangerLinesPerSecond);
      if (leftOut !== undefined)
        ports.log.info('a connect was rejected before its credentials were right', { ...from, ...leftOut });
      return;
    }
    const names = { ...who, clientId: shownClientId(request.clientId ?? request.sentClientId) };
    if (told !== 'unavailable') ports.rejections.record({ ...names, reason: told });
    const leftOut = linesOf(who.deploymentId, refusalLinesPerSecond);
    if (leftOut !== undefined)
      ports.log.info('a connect was rejected', { ...names, reason: told, ...from, ...leftOut });
  }

  return async (request) => {
    let who: Proven | undefined;
    const onProven = (proven: Proven): void => {
      who = proven;
    };
    const decision = await connect({ ...request, onProven });
    // A client that has left was not answered.
    if (decision.kind === 'rejected' && request.left?.aborted !== true) tell(request, decision, who);
    return decision;
  };
}

/**
 * Whether a line about this key may be written in this second, and how many were left out since its last one. Clients cause
 * the lines, so each key has a bound of its own; metrics count all of them.
 */
function createLineBounds(clock: Clock): (key: string, perSecond: number) => { leftOut?: number } | undefined {
  let second = Number.NaN;
  let written = new Map<string, number>();
  const omitted = new Map<string, number>();
  return (key, perSecond) => {
    const now = Math.floor(clock.now() / 1_000);
    if (now !== second) {
      second = now;
      written = new Map();
    }
    const lines = written.get(key) ?? 0;
    const leftOut = omitted.get(key) ?? 0;
    if (lines >= perSecond) {
      omitted.set(key, leftOut + 1);
      return undefined;
    }
    written.set(key, lines + 1);
    omitted.delete(key);
    return leftOut === 0 ? {} : { leftOut };
  };
}
