// Section `memory`: what idle connections cost a front door.

import { loadCertificate } from '../../local/certificate.ts';
import { systemClock } from '../../shared/adapters/node/clock.ts';
import { type Child, startChild } from '../child/child.ts';
import type { Row, Section } from '../section.ts';
import type { CrowdQuestion } from './crowd-process.ts';
import type { DoorMemory, DoorQuestion } from './door-process.ts';

/** Told for so many, whatever number of them this machine could hold. */
const reported = 10_000;
/** Opened and closed again before anything is counted, so that code and buffers which stay are there already. */
const rehearsed = 200;

interface Held {
  readonly connections: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
}

async function settle(door: Child, connections: number): Promise<DoorMemory> {
  for (let tried = 0; tried < 100; tried++) {
    const memory = await door.ask<DoorMemory>({ kind: 'memory' } satisfies DoorQuestion);
    if (memory.connections === connections) return memory;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`the front door never held ${connections} connections`);
}

async function hold(count: number, tls: { key: string; cert: string } | undefined): Promise<Held> {
  const door = startChild(new URL('./door-process.ts', import.meta.url), { execArgv: ['--expose-gc'] });
  const crowd = startChild(new URL('./crowd-process.ts', import.meta.url));
  const secure = tls === undefined ? {} : { tls };
  try {
    const brokerPort = await crowd.ask<number>({ kind: 'broker', ...secure } satisfies CrowdQuestion);
    const doorPort = await door.ask<number>({ kind: 'open', brokerPort, ...secure } satisfies DoorQuestion);
    const join = (more: number): Promise<number> =>
      crowd.ask({ kind: 'clients', doorPort, count: more, tls: tls !== undefined } satisfies CrowdQuestion);
    await join(rehearsed);
    await crowd.ask({ kind: 'leave' } satisfies CrowdQuestion);
    const before = await settle(door, 0);
    await join(count);
    const after = await settle(door, count);
    return {
      connections: count,
      residentBytes: (after.residentBytes - before.residentBytes) / count,
      heapBytes: (after.heapBytes - before.heapBytes) / count,
    };
  } finally {
    await crowd.stop();
    await door.stop();
  }
}

/** File descriptors that a process here may open; two of them are one connection of the front door. */
function descriptors(): number {
  const report = process.report?.getReport() as
    | { userLimits?: { open_files?: { soft?: number | string } } }
    | undefined;
  const soft = Number(report?.userLimits?.open_files?.soft);
  return Number.isFinite(soft) ? soft : Number.POSITIVE_INFINITY;
}

function rowsOf(kind: string, { connections, residentBytes, heapBytes }: Held): readonly Row[] {
  const megabytes = (bytes: number): number => Math.round((bytes * reported) / 1e6);
  const detail = `${connections} connections`;
  const what = `front door, ${reported.toLocaleString('en-US')} idle connections, ${kind}`;
  return [
    { what: `${what}, resident memory`, value: megabytes(residentBytes), unit: 'MB', detail, headline: true },
    { what: `${what}, heap and buffers`, value: megabytes(heapBytes), unit: 'MB', detail },
  ];
}

export const section: Section = {
  name: 'memory',
  title: 'Memory of the front door',
  async run({ full, say }) {
    const most = Math.floor((descriptors() - 200) / 2);
    const tcp = await hold(Math.min(most, full ? reported : 4_000), undefined);
    say(`${tcp.connections} connections over TCP`);
    const { key, cert } = await loadCertificate(undefined, systemClock);
    const tls = await hold(Math.min(most, full ? reported : 1_500), { key, cert });
    say(`${tls.connections} connections over TLS`);
    return {
      rows: [...rowsOf('TCP on both sides', tcp), ...rowsOf('TLS on both sides, as on AWS', tls)],
      notes: [
        `The front door runs in a process of its own; what it held more with all connections idle than with none, after garbage was collected, divided by their number and told for ${reported.toLocaleString('en-US')}. A process may open ${descriptors()} files here, and a connection takes two.`,
      ],
    };
  },
};
