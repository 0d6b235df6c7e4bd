// The sections of the benchmark, in the order of the report. One line each.

import type { Section } from './section.ts';

export const sections: readonly Section[] = [];
