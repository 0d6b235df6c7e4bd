// Many clients at once: what each was told, and how long it took.

import { generate } from 'mqtt-packet';
import { buildConnect, type ClientSpec, dialRaw, join, type Target } from './mqtt.ts';

export interface Outcome {
  readonly spec: ClientSpec;
  /** Of the CONNACK: 0 for who is admitted. */
  readonly code: number;
  readonly tookMs: number;
  /** Still connected. */
  readonly isOpen: () => boolean;
  /** Ends the connection: by DISCONNECT, or as a device that loses its network. */
  readonly end: (how: 'disconnect' | 'lost') => Promise<void>;
}

/** `real`: by mqtt.js. Otherwise by bare sockets, of which a thousand fit into a test. */
export async function connectClient(target: Target, spec: ClientSpec, real = false): Promise<Outcome> {
  const beganAt = performance.now();
  return real ? connectReal(target, spec, beganAt) : connectRaw(target, spec, beganAt);
}

const ended = { isOpen: () => false, end: async () => undefined };

async function connectReal(target: Target, spec: ClientSpec, beganAt: number): Promise<Outcome> {
  try {
    const client = await join(target, spec);
    client.on('error', () => undefined);
    return {
      spec,
      code: 0,
      tookMs: performance.now() - beganAt,
      isOpen: () => client.connected,
      end: async (how) => void (await client.endAsync(how === 'lost')),
    };
  } catch (error) {
    const code = Number((error as { code?: unknown }).code);
    return { spec, code, tookMs: performance.now() - beganAt, ...ended };
  }
}

async function connectRaw(target: Target, spec: ClientSpec, beganAt: number): Promise<Outcome> {
  const client = await dialRaw(target, spec.transport, spec.serverName);
  client.socket.write(buildConnect(spec));
  const connack = await client.bytes(4);
  const code = connack.length === 4 && connack[0] === 0x20 ? Number(connack[3]) : Number.NaN;
  const tookMs = performance.now() - beganAt;
  if (code !== 0) {
    client.socket.destroy();
    return { spec, code, tookMs, ...ended };
  }
  return {
    spec,
    code,
    tookMs,
    isOpen: () => !client.socket.destroyed && !client.socket.readableEnded,
    async end(how) {
      if (how === 'lost') client.socket.destroy();
      else client.socket.end(generate({ cmd: 'disconnect' }, { protocolVersion: spec.version }));
      await client.closed();
    },
  };
}
