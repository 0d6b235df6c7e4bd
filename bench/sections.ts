// The sections of the benchmark, in the order of the report. One line each; what a section and a row are says section.ts.
//
// What sections share: `paths` is what may happen to a session, each with its budget, over a `Scene`; `meter` counts units
// and requests in a row; `fill` writes tables by the batch; `clients` are MQTT clients by the hundred, at one moment or so
// many at a time; `child` is a process of its own; `latency/rounds.ts` times several things in turns.

import { fleet, storm } from './fleet/section.ts';
import { section as memory } from './front-door/section.ts';
import { section as growth } from './growth/section.ts';
import { section as latency } from './latency/section.ts';
import { section as peers } from './peers/section.ts';
import { section as requests } from './requests/section.ts';
import type { Section } from './section.ts';
import { section as start } from './start/section.ts';
import { section as sweep } from './sweep/section.ts';
import { section as units } from './units/section.ts';

export const sections: readonly Section[] = [
  units,
  requests,
  growth,
  fleet,
  storm,
  latency,
  start,
  memory,
  sweep,
  peers,
];
