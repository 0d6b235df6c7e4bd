// A session that has long been connected, as it is stored.

import type { AttemptId, ClientId, DeploymentId, Username } from '../../shared/domain/ids.ts';
import { startSession } from '../../shared/domain/session/attempt.ts';
import { confirmSession } from '../../shared/domain/session/outcome.ts';
import type { Session } from '../../shared/domain/session/record.ts';
import { ms, seconds } from '../../shared/domain/time.ts';
import type { Rig } from './rig.ts';

/** A session of `demo`, of a minute ago, that is connected, with its owner and its place. */
export async function connectLongAgo(rig: Rig, clientId: string, username: string): Promise<Session> {
  const names = {
    deploymentId: 'demo' as DeploymentId,
    username: username as Username,
    clientId: clientId as ClientId,
  };
  const policy = { leaseSeconds: seconds(30), maxConnectionSeconds: seconds(86_400) };
  const at = ms(rig.now - 60_000);
  const admission = {
    attempt: 'A'.repeat(22) as AttemptId,
    witness: 'door',
    at,
    expirySeconds: seconds(0),
  } as const;
  const place = Buffer.from(clientId.padEnd(8)).toString('base64url') as Session['place'];
  const hands = false;
  const begun = startSession(names, place, admission, policy, undefined, hands);
  const told = { at, expirySeconds: seconds(0), attempt: admission.attempt };
  const session: Session = confirmSession(begun, told, policy);
  await rig.sessions.putSession(session, undefined);
  await rig.sessions.putOwner(
    names.deploymentId,
    names.clientId,
    { username: names.username, keptUntil: ms(rig.now) },
    undefined,
  );
  await rig.sessions.addPlace(names.deploymentId, names.username, place, 100, session.dueAt);
  return session;
}
