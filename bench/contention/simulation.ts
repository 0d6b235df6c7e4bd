// Simulated time. A process is a generator that yields how many milliseconds it waits; nothing here reads a real clock,
// so a run is the same each time and takes as long as its events, not as its seconds.

import { EventHeap } from './event-heap.ts';

export type Process<T> = Generator<number, T, void>;

interface Planned {
  readonly at: number;
  readonly order: number;
  readonly process: Process<void>;
}

export class Simulation {
  now = 0;
  private planned = 0;
  private readonly heap = new EventHeap<Planned>();

  spawn(process: Process<void>, delayMs = 0): void {
    if (!(delayMs >= 0)) throw new Error(`a process cannot wait ${delayMs} ms`);
    this.heap.push({ at: this.now + delayMs, order: this.planned++, process });
  }

  /** Runs until nothing is planned any more. */
  run(): void {
    for (let event = this.heap.pop(); event !== undefined; event = this.heap.pop()) {
      this.now = event.at;
      const step = event.process.next();
      if (step.done !== true) this.spawn(event.process, step.value);
    }
  }
}

/** Runs processes at the same time; done when the last is. Answers in their order. */
export function* all<T>(processes: readonly Process<T>[]): Process<T[]> {
  const lanes = processes.map((process) => ({ process, step: process.next(), due: 0 }));
  for (const lane of lanes) lane.due = lane.step.done === true ? 0 : lane.step.value;
  let elapsed = 0;
  for (;;) {
    const waiting = lanes.filter((lane) => lane.step.done !== true);
    if (waiting.length === 0) break;
    const until = Math.min(...waiting.map((lane) => lane.due));
    if (until > elapsed) yield until - elapsed;
    elapsed = until;
    for (const lane of waiting.filter((each) => each.due <= until)) {
      lane.step = lane.process.next();
      if (lane.step.done !== true) lane.due = until + lane.step.value;
    }
  }
  return lanes.flatMap((lane) => (lane.step.done === true ? [lane.step.value] : []));
}
