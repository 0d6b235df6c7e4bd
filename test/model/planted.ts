// Mistakes that a product like this one could have, put between the code and what it calls.

import { PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { parseBrokerEvent } from '../../shared/app/broker-event.ts';
import type { LifeCyclePorts } from '../../shared/app/life-cycle.ts';
import { freeSession } from '../../shared/domain/session.ts';
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
  const left = ConditionExpression.replace(condition, '');
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

async function freeOnAnyEnd(ports: LifeCyclePorts, body: unknown): Promise<'applied' | 'not mine'> {
  const event = parseBrokerEvent(body, ports.clock.now());
  if (!event.ok || event.value.type !== 'disconnected') return 'not mine';
  const { deploymentId, clientId } = event.value;
  const owner = await ports.store.readOwner(deploymentId, clientId);
  if (owner === undefined) return 'applied';
  const { username } = owner.value;
  const stored = await ports.store.readSession({ deploymentId, username, clientId });
  if (stored === undefined || stored.value.holding === 'freed') return 'applied';
  await ports.store.putSession(freeSession(stored.value), stored);
  await ports.store.removePlace(deploymentId, username, stored.value.place, false);
  return 'applied';
}
