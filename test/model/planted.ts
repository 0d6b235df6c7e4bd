// Mistakes that a product like this one could have, put between the code and what it calls.

import { parseDoorReport } from '../../functions/presence/door-report.ts';
import { PutCommand, UpdateCommand } from '../../shared/adapters/dynamodb/common/commands.ts';
import { parseBrokerEvent } from '../../shared/app/presence/broker-event.ts';
import { applyDoorReport } from '../../shared/app/presence/report.ts';
import type { LifeCyclePorts } from '../../shared/app/presence/step.ts';
import { type Place, toBrokerClientId } from '../../shared/domain/ids.ts';
import { endSession, freeSession } from '../../shared/domain/session/outcome.ts';
import { pairOf, pendingOf, type Session, samePair } from '../../shared/domain/session/record.ts';
import { StoreUnavailable } from '../../shared/ports/common/errors.ts';
import type { Planted } from './engine.ts';
import type { Command } from './gates.ts';

/** Admission looks whether there is room, then counts without looking again. */
export const checkThenAct: Planted = {
  tamper: (command) => without(command, ' AND (attribute_not_exists(used) OR used < :max)', ':max'),
};

/** Every `disconnected` takes one off the count, also the one that comes twice. */
export const countedDownTwice: Planted = {
  tamper: (command) => (isFreeing(command) ? without(command, 'contains(places, :place)', ':place') : command),
};

/** Whatever ended, the client id's session is freed: nobody asks which connection it was. */
export const lateEventFrees: Planted = { apply: freeOnAnyEnd };

/** A lease that is over is proof enough that nothing came of the CONNECT. */
export const leaseIsProof: Planted = {
  broker: (broker, actor) =>
    actor.kind === 'sweeper' ? { ...broker, getConnection: () => Promise.resolve({ kind: 'absent' }) } : broker,
};

/** A session is written over whatever stands there by now. */
export const lastWriterWins: Planted = {
  tamper: (command) => (command instanceof PutCommand ? without(command, 'rev = :rev', ':rev') : command),
};

function isFreeing(command: Command): boolean {
  return command instanceof UpdateCommand && command.input.UpdateExpression?.startsWith('ADD used :less') === true;
}

/** The same request less a condition and the value that only it used. */
function without(command: Command, condition: string, value: string): Command {
  if (!(command instanceof UpdateCommand || command instanceof PutCommand)) return command;
  const { ConditionExpression, ExpressionAttributeValues, ...input } = command.input;
  if (ConditionExpression?.includes(condition) !== true) return command;
  const values = Object.fromEntries(Object.entries(ExpressionAttributeValues ?? {}).filter(([name]) => name !== value));
  const left = ConditionExpression.replace(condition, '').replace(/^ AND /, '');
  const loose = {
    ...input,
    ...(left === '' ? {} : { ConditionExpression: left }),
    ...(Object.keys(values).length === 0 ? {} : { ExpressionAttributeValues: values }),
  };
  if (command instanceof UpdateCommand) return asCommand(new UpdateCommand({ ...loose, Key: command.input.Key }));
  return command instanceof PutCommand ? asCommand(new PutCommand({ ...loose, Item: command.input.Item })) : command;
}

/** The SDK's commands are each other's likes, only their types do not say so. */
function asCommand(command: UpdateCommand | PutCommand): Command {
  return command as unknown as Command;
}

async function freeOnAnyFailure(ports: LifeCyclePorts, body: unknown): Promise<'applied' | 'not mine'> {
  const report = parseDoorReport(body);
  if (report?.type !== 'door.failed') return 'not mine';
  const stored = await ports.store.readSession(report);
  if (stored === undefined || stored.value.attempts[0].id !== report.attempt || stored.value.phase.kind === 'ended')
    return 'applied';
  await ports.store.putSession(freeSession(stored.value), stored);
  await ports.store.removePlace(report.deploymentId, report.username, stored.value.place, false);
  return 'applied';
}

async function freeOnAnyEnd(ports: LifeCyclePorts, body: unknown): Promise<'applied' | 'not mine'> {
  const event = parseBrokerEvent(body, ports.clock.now());
  if (!event.ok || event.value.type !== 'disconnected') return 'not mine';
  const { deploymentId, clientId } = event.value;
  const owner = await ports.store.readOwner(deploymentId, clientId);
  if (owner === undefined) return 'applied';
  const { username } = owner.value;
  const stored = await ports.store.readSession({ deploymentId, username, clientId });
  if (stored === undefined || stored.value.phase.kind === 'ended') return 'applied';
  await ports.store.putSession(freeSession(stored.value), stored);
  await ports.store.removePlace(deploymentId, username, stored.value.place, false);
  return 'applied';
}

/** A request that timed out is sent again with another place: what did happen the first time counts twice. */
export const retryCountsTwice: Planted = {
  store: (store) => ({
    ...store,
    addPlace: async (deploymentId, username, place, max, dueAt, how) => {
      try {
        return await store.addPlace(deploymentId, username, place, max, dueAt, how);
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        return store.addPlace(deploymentId, username, `${place.slice(1)}A` as Place, max, dueAt, how);
      }
    },
  }),
};

/** A client that says that its session is over is believed: the broker may not have heard it. */
export const believesDisconnect: Planted = {
  apply: async (ports, body) => {
    const report = parseDoorReport(body);
    if (report?.type !== 'door.disconnected' || report.changedToSeconds === undefined) return 'not mine';
    const { changedToSeconds, ...told } = report;
    try {
      await applyDoorReport(ports, { ...told, expirySeconds: changedToSeconds });
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
    }
    return 'applied';
  },
};

/** What the broker told when a client came is taken for what it keeps when the client goes. */
export const asksNobodyAtTheEnd: Planted = {
  apply: async ({ store, clock }, body) => {
    const event = parseBrokerEvent(body, clock.now());
    if (!event.ok || event.value.type !== 'disconnected') return 'not mine';
    const { deploymentId, clientId, pair, at } = event.value;
    const username = (await store.readOwner(deploymentId, clientId))?.value.username;
    if (username === undefined) return 'not mine';
    const stored = await store.readSession({ deploymentId, username, clientId });
    const session = stored?.value;
    if (session?.phase.kind !== 'connected' || pendingOf(session)?.until !== undefined || session.expiryTold !== true)
      return 'not mine';
    if (!samePair(pairOf(session), pair) || session.attempts[0].source === 'door') return 'not mine';
    const put = await store.putSession(
      endSession(session, { at, expirySeconds: session.expirySeconds }, clock.now()),
      stored,
    );
    return put.kind === 'done' && session.expirySeconds > 0 ? 'applied' : 'not mine';
  },
};

/** Whoever takes a client id over does not look what another username has under it. */
export const takeoverForgets: Planted = {
  store: (store, actor) => ({
    ...store,
    readSession: async (names) => {
      const isOthers = actor.kind === 'connect' && !actor.title.startsWith(`${names.username} `);
      return isOthers ? undefined : store.readSession(names);
    },
  }),
};

/** Whoever takes a client id over frees what another username has under it, and the broker is not told to end it. */
export const takeoverEndsNothing: Planted = {
  broker: (broker, actor) =>
    actor.kind === 'connect' ? { ...broker, deleteConnection: () => Promise.resolve('done') } : broker,
};

/** A reconnect begins the session anew: when it fails, what was there before is forgotten. */
export const reconnectDemotes: Planted = {
  store: (store) => ({
    ...store,
    putSession: (session, expected) => {
      const pending = pendingOf(session);
      const isAnother = session.attempts[0].id !== expected?.value.attempts[0].id;
      const meets = isAnother && pending !== undefined && expected !== undefined && isSettled(expected.value);
      return store.putSession(meets ? { ...session, phase: { kind: 'new', pending } } : session, expected);
    },
  }),
};

/** An expired session counts for as long as the database keeps its item. */
export const ttlIsTruth: Planted = {
  store: (store) => ({ ...store, listDue: () => Promise.resolve([]) }),
};

/** Who recounts reads an index that lags by a minute. */
export const laggingRecount: Planted = {
  store: (store, _actor, clock) => ({
    ...store,
    listSessions: async (deploymentId, username, page) => {
      const { items, more } = await store.listSessions(deploymentId, username, page);
      return { items: items.filter(({ value }) => value.attempts[0].admittedAt < clock.now() - 60_000), more };
    },
  }),
};

/** An attempt that came to nothing frees the session that it met. */
export const failureFreesAll: Planted = { apply: freeOnAnyFailure };

/** Whatever stands there after a kick is freed: nobody asks whether the client has come back. */
export const kickFreesNewcomer: Planted = {
  kick: async ({ store, broker }, deploymentId, clientId) => {
    await broker.deleteConnection(toBrokerClientId(deploymentId, clientId), { cleanSession: true });
    const username = (await store.readOwner(deploymentId, clientId))?.value.username;
    if (username === undefined) return;
    const stored = await store.readSession({ deploymentId, clientId, username });
    if (stored === undefined || stored.value.phase.kind === 'ended') return;
    await store.putSession(freeSession(stored.value), stored);
    await store.removePlace(deploymentId, username, stored.value.place, false);
  },
};

/** A process that keeps a folded session's place twice in its memory: what it then sends, DynamoDB refuses for good. */
export const keepsPlacesTwice: Planted = {
  tamper: (command) => {
    if (!(command instanceof UpdateCommand) || command.input.UpdateExpression !== dropsPlaces) return command;
    const values = command.input.ExpressionAttributeValues ?? {};
    const places = [...(values[':places'] as ReadonlySet<Uint8Array>)];
    const twice = new Set([...places, ...places.map((place) => Uint8Array.from(place))]);
    return asCommand(
      new UpdateCommand({ ...command.input, ExpressionAttributeValues: { ...values, ':places': twice } }),
    );
  },
};

const dropsPlaces = 'ADD turn :one DELETE places :places';

const isSettled = (session: Session): boolean => pendingOf(session) === undefined;
