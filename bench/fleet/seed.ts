// Sessions that are there before a run begins: admitted, confirmed and, where wanted, ended by the product's own code, in
// no time and with nobody else around.

import { admit } from '../../shared/app/admission/admit.ts';
import type { AdmitRequest } from '../../shared/app/admission/run.ts';
import { applyBrokerEvent } from '../../shared/app/presence/event.ts';
import { applyDoorReport } from '../../shared/app/presence/report.ts';
import { connectBudgetMs } from '../../shared/config/constants.ts';
import { type AttemptId, toBrokerClientId } from '../../shared/domain/ids.ts';
import { seconds } from '../../shared/domain/time.ts';
import type { Client } from './clients.ts';
import { deploymentId, type Installation } from './installation.ts';
import { firstVersion } from './telling.ts';

export interface Seeded {
  readonly client: Client;
  readonly attempt: AttemptId;
}

export async function seedSessions(
  installation: Installation,
  clients: readonly Client[],
  as: { readonly kind: 'connected' | 'retained'; readonly expirySeconds: number },
): Promise<readonly Seeded[]> {
  const { time, instant } = installation;
  const { clock } = time;
  const expirySeconds = seconds(as.expirySeconds);
  const settings = await installation.connectSettings();
  let kind: 'connected' | 'retained' = 'connected';
  const broker = {
    getConnection: async () =>
      kind === 'connected'
        ? ({ kind, since: clock.now(), expirySeconds } as const)
        : ({ kind, disconnectedAt: clock.now(), expirySeconds } as const),
    deleteConnection: async () => 'unknown' as const,
  };
  const ports = {
    ...instant,
    settings: { getNewer: async () => settings },
    broker,
    budgetMs: connectBudgetMs,
  };
  const witness = installation.doors > 0 ? 'door' : 'broker';
  const seeded: Seeded[] = [];
  for (const client of clients) {
    const names = { ...client, deploymentId };
    const request: AdmitRequest = { ...names, witness, expirySeconds, receivedAt: clock.now() };
    const decision = await admit(ports, settings, request);
    if (decision.kind !== 'admitted') throw new Error(`a session could not be set up: ${decision.reason}`);
    const { attempt } = decision;
    const at = clock.now();
    const pair = { sessionIdentifier: client.clientId, versionNumber: firstVersion };
    const tell = (what: 'connected' | 'disconnected') =>
      witness === 'door'
        ? applyDoorReport(ports, { ...names, attempt, at, expirySeconds, type: `door.${what}` })
        : applyBrokerEvent(ports, { ...names, at, pair, type: what });
    kind = 'connected';
    const told = [await tell('connected')];
    kind = as.kind;
    if (as.kind === 'retained') told.push(await tell('disconnected'));
    if (told.includes('later')) throw new Error('a session could not be set up: its events were not taken');
    const id = toBrokerClientId(deploymentId, client.clientId);
    if (as.kind === 'connected') installation.broker.connect(id, as.expirySeconds);
    else installation.broker.retain(id, as.expirySeconds);
    seeded.push({ client, attempt });
  }
  return seeded;
}
