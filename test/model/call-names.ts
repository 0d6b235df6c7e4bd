// What a call is about, for traces and for whoever looks what a process did last.

import type { Call, Command } from './gates.ts';

/** Which kind of item a request is about. */
export function kindOf(command: Command): 'session' | 'owner' | 'roster' | 'lane' | 'transaction' | 'index' | 'batch' {
  const { input } = command;
  if ('TransactItems' in input) return 'transaction';
  const key: unknown = 'Key' in input ? input.Key : 'Item' in input ? input.Item : undefined;
  const pk = typeof key === 'object' && key !== null && 'pk' in key ? String(key.pk) : '';
  if (pk.startsWith('L|')) return 'lane';
  if (pk.startsWith('S|')) return 'session';
  if (pk.startsWith('C|')) return 'owner';
  if (pk.startsWith('N|')) return 'roster';
  return 'IndexName' in input ? 'index' : 'batch';
}

export function describeCall(call: Call): string {
  if (call.to === 'broker')
    return call.what === 'ask' ? `asks the broker for ${call.id}` : `has the broker end ${call.id}`;
  const { input } = call.command;
  const key: unknown = 'Key' in input ? input.Key : 'Item' in input ? input.Item : undefined;
  const sk = typeof key === 'object' && key !== null && 'sk' in key ? String(key.sk) : '';
  const update = 'UpdateExpression' in input ? ` ${String(input.UpdateExpression).split(' wakePk')[0] ?? ''}` : '';
  return `${call.name.replace('Command', '')} ${kindOf(call.command)} ${sk}${update}`;
}
