// A CONNECT's decision, measured: what it was, and how long it took.

import type { RejectReason } from '../../domain/connack.ts';
import type { Connect } from '../../domain/connect.ts';
import type { Clock } from '../../ports/common/clock.ts';
import type { Measure, Measures } from '../../ports/common/metrics.ts';

const rejections: Readonly<Record<RejectReason, keyof Measures>> = {
  quota_exceeded: 'RejectedQuota',
  bad_credentials: 'RejectedCredentials',
  unavailable: 'RejectedUnavailable',
  suspended: 'RejectedOther',
  blocked: 'RejectedOther',
  client_id: 'RejectedOther',
  client_id_held: 'RejectedOther',
};

export function measuredConnect(connect: Connect, measure: Measure, clock: Clock): Connect {
  return async (request) => {
    const beganAt = clock.now();
    const decision = await connect(request);
    if (decision.kind === 'rejected' && request.left?.aborted === true) {
      measure({ Departed: 1 });
      return decision;
    }
    const name = decision.kind === 'admitted' ? 'Admitted' : rejections[decision.reason];
    measure({ [name]: 1, ConnectLatency: Math.max(0, clock.now() - beganAt) });
    return decision;
  };
}
