// Section `memory`: what idle connections cost a front door.

import { loadCertificate } from '../../local/certificate.ts';
import { systemClock } from '../../shared/adapters/node/clock.ts';
import type { Row, Section } from '../section.ts';
import type { DoorMemory } from './door-process.ts';
import { hold } from './hold.ts';

/** Told for so many, whatever number of them this machine could hold. */
const reported = 10_000;
/** File descriptors that a process here may open; two of them are one connection of the front door. */
function descriptors(): number {
  const report = process.report?.getReport() as
    | { userLimits?: { open_files?: { soft?: number | string } } }
    | undefined;
  const soft = Number(report?.userLimits?.open_files?.soft);
  return Number.isFinite(soft) ? soft : Number.POSITIVE_INFINITY;
}

function rowsOf(kind: string, { connections, residentBytes, heapBytes }: DoorMemory): readonly Row[] {
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
