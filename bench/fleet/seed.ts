// Sessions that are there before a run begins: admitted, confirmed and, where wanted, ended by the product's own code, in
// no time and with nobody else around.

import { admit } from '../../shared/app/admit.ts';
import { applyBrokerEvent } from '../../shared/app/life-cycle.ts';
import { connectBudgetMs, leaseSeconds, maxConnectionSeconds } from '../../shared/config/constants.ts';
import { toBrokerClientId } from '../../shared/domain/ids.ts';
import { seconds } from '../../shared/domain/time.ts';
import type { Client } from './clients.ts';
import { deploymentId, type Installation } from './installation.ts';

const policy = { leaseSeconds: seconds(leaseSeconds), maxConnectionSeconds: seconds(maxConnectionSeconds) };

/** As the events of a client's first connection number it. */
export const seededVersion = 0;

export async function seedSessions(
  installation: Installation,
  clients: readonly Client[],
  as: { readonly kind: 'connected' | 'retained'; readonly expirySeconds: number },
): Promise<void> {
  const { time, around, instant } = installation;
  const { clock } = time;
  const expirySeconds = seconds(as.expirySeconds);
  const settings = await installation.connectSettings();
  const broker = {
    getConnection: async () => ({ kind: 'connected', since: clock.now(), expirySeconds }) as const,
    deleteConnection: async () => 'unknown' as const,
  };
  const ports = { store: instant.store, clock, random: around.random, policy, broker, budgetMs: connectBudgetMs };
  for (const client of clients) {
    const names = { ...client, deploymentId };
    const request = { ...names, witness: 'broker' as const, expirySeconds, receivedAt: clock.now() };
    const decision = await admit(ports, settings, request);
    if (decision.kind !== 'admitted') throw new Error(`a session could not be set up: ${decision.reason}`);
    const pair = { sessionIdentifier: client.clientId, versionNumber: seededVersion };
    const event = { ...names, at: clock.now(), pair };
    const told = [await applyBrokerEvent(ports, { ...event, type: 'connected' })];
    if (as.kind === 'retained') told.push(await applyBrokerEvent(ports, { ...event, type: 'disconnected' }));
    if (told.includes('later')) throw new Error('a session could not be set up: its events were not taken');
    if (as.kind === 'connected')
      installation.broker.connect(toBrokerClientId(deploymentId, client.clientId), as.expirySeconds);
  }
}
