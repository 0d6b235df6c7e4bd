// The loads: so many clients that come in such a way, and what came of them. Each is the same again under its seed.

import type { ClientId, Username } from '../../shared/domain/ids.ts';
import { type Client, Clients } from './clients.ts';
import { Installation, type InstallationOptions, type LimitSetting } from './installation.ts';
import { type Outcome, outcomeOf, patienceMs } from './outcome.ts';
import { seedSessions } from './seed.ts';

export type Common = Omit<InstallationOptions, 'sessionExpirySeconds'>;

export type FleetLimit = number | 'whitelisted' | 'none';

const fleetName = 'fleet' as Username;
/** What sessions of a fleet that comes back keep. */
const keptSeconds = 3_600;

function membersOf(username: Username, count: number): readonly Client[] {
  return Array.from({ length: count }, (_, n) => ({ username, clientId: `client-${n}` as ClientId }));
}

function settingOf(limit: FleetLimit): LimitSetting | undefined {
  if (limit === 'none') return undefined;
  if (limit === 'whitelisted') return { maxSessionsPerUsername: 1, whitelist: [fleetName] };
  return { maxSessionsPerUsername: limit };
}

/** Poisson arrivals; done when the last is answered. */
async function arrive(
  installation: Installation,
  clients: Clients,
  coming: Iterable<Client>,
  perSecond: number,
): Promise<void> {
  const answers: Promise<unknown>[] = [];
  for (const client of coming) {
    answers.push(clients.connect(client));
    if (Number.isFinite(perSecond)) await installation.time.pause(installation.chance.exponential(1_000 / perSecond));
  }
  await Promise.all(answers);
}

/** New sessions of one username, all at the same moment unless told how many a second. */
export async function burst(
  options: Common & { readonly sessions: number; readonly limit: number; readonly perSecond?: number },
): Promise<Outcome> {
  const installation = new Installation({ ...options, sessionExpirySeconds: 0 });
  await installation.setUp([fleetName], settingOf(options.limit));
  const clients = new Clients(installation);
  await installation.time.run(() =>
    arrive(
      installation,
      clients,
      membersOf(fleetName, options.sessions),
      options.perSecond ?? Number.POSITIVE_INFINITY,
    ),
  );
  return outcomeOf(installation, clients);
}

/** New sessions of many usernames, each of them drawn anew. */
export async function manyUsernames(
  options: Common & { readonly usernames: number; readonly perSecond: number; readonly seconds: number },
): Promise<Outcome> {
  const installation = new Installation({ ...options, sessionExpirySeconds: 0 });
  const usernames = Array.from({ length: options.usernames }, (_, n) => `user-${n}` as Username);
  await installation.setUp(usernames, { maxSessionsPerUsername: 100 });
  const clients = new Clients(installation);
  const coming = Array.from({ length: options.perSecond * options.seconds }, (_, n) => ({
    username: usernames[Math.floor(installation.chance.uniform() * usernames.length)] ?? fleetName,
    clientId: `client-${n}` as ClientId,
  }));
  await installation.time.run(() => arrive(installation, clients, coming, options.perSecond));
  return outcomeOf(installation, clients);
}

export interface FleetOptions extends Common {
  readonly sessions: number;
  readonly perSecond: number;
  readonly limit: FleetLimit;
}

/** A fleet on one username comes back after an outage of ten minutes: its sessions are new, or retained. */
export async function fleetReturns(options: FleetOptions & { readonly as: 'new' | 'retained' }): Promise<Outcome> {
  const installation = new Installation({ ...options, sessionExpirySeconds: keptSeconds });
  await installation.setUp([fleetName], settingOf(options.limit));
  const fleet = membersOf(fleetName, options.sessions);
  const clients = new Clients(installation);
  if (options.as === 'retained') {
    clients.adopt(await seedSessions(installation, fleet, { kind: 'retained', expirySeconds: keptSeconds }));
    installation.time.skip(600_000);
  }
  await installation.time.run(() => arrive(installation, clients, fleet, options.perSecond));
  return outcomeOf(installation, clients);
}

/** The limit is halved when six tenths of the fleet have come, and set back when eight tenths have. */
export async function limitChanges(options: FleetOptions & { readonly limit: number }): Promise<Outcome> {
  const { sessions, perSecond, limit } = options;
  const installation = new Installation({ ...options, sessionExpirySeconds: 0 });
  await installation.setUp([fleetName], settingOf(limit));
  const clients = new Clients(installation);
  const change = async (): Promise<void> => {
    await installation.time.pause((0.6 * sessions * 1_000) / perSecond);
    await installation.setLimit({ maxSessionsPerUsername: Math.floor(limit / 2) });
    await installation.time.pause((0.2 * sessions * 1_000) / perSecond);
    await installation.setLimit({ maxSessionsPerUsername: limit });
  };
  const fleet = membersOf(fleetName, sessions);
  await installation.time.run(() => Promise.all([change(), arrive(installation, clients, fleet, perSecond)]));
  return outcomeOf(installation, clients);
}

/** Every client of a fleet goes within a second. `freedAfterMs`: until none is counted. */
export async function fleetLeaves(
  options: Common & { readonly sessions: number },
): Promise<Outcome & { readonly freedAfterMs: number | undefined }> {
  const installation = new Installation({ ...options, sessionExpirySeconds: 0 });
  await installation.setUp([fleetName], undefined);
  const fleet = membersOf(fleetName, options.sessions);
  const clients = new Clients(installation);
  clients.adopt(await seedSessions(installation, fleet, { kind: 'connected', expirySeconds: 0 }));
  installation.time.skip(600_000);
  const { time } = installation;
  const began = time.now;
  let goneAt = began;
  const leave = async (): Promise<number | undefined> => {
    for (const client of fleet) {
      clients.disconnect(client);
      await time.pause(installation.chance.exponential(1_000 / options.sessions));
    }
    goneAt = time.now;
    while (time.now < began + patienceMs) {
      await time.pause(250);
      if ((await installation.usedBy(fleetName)) === 0) return time.now - began;
    }
    return undefined;
  };
  const freedAfterMs = await time.run(() => leave());
  return { ...(await outcomeOf(installation, clients, goneAt)), freedAfterMs };
}
