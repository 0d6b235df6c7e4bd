// The requests that a model run has sent, each once: a request is like another where it says the same and its values are
// of the same types and sizes. What a real engine makes of these it would make of all.

import type { Engine } from './engine.ts';
import type { Command } from './gates.ts';

/** How many members of a set, list or batch count as a size of their own. */
const sizesTold = 4;

/** Its `send` is that of `engine`; the first request of each shape goes to `met`, with what became of it. */
export function recording(engine: Engine, met: Map<string, Command>): Engine {
  const send = (command: Command): Promise<unknown> => {
    const shape = `${command.constructor.name} ${shapeOf(command.input)}`;
    if (!met.has(shape)) met.set(shape, command);
    return engine.client.send(command);
  };
  return { ...engine, client: { send } as Engine['client'] };
}

function shapeOf(value: unknown, name = ''): string {
  if (typeof value === 'string') return name.endsWith('Expression') ? value : value === '' ? 'empty text' : 'text';
  if (value === undefined || value === null || typeof value === 'number' || typeof value === 'boolean')
    return typeof value;
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof Set || Array.isArray(value)) {
    const members = [...value].map((each) => shapeOf(each));
    return `${value.constructor.name} ${Math.min(members.length, sizesTold)} ${[...new Set(members)].sort().join()}`;
  }
  const fields = Object.entries(value).map(([key, each]) => `${key}: ${shapeOf(each, key)}`);
  return `{${fields.sort().join()}}`;
}
