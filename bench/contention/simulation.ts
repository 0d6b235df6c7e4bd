// Simulated time. A process is a generator that yields how many milliseconds it waits; nothing here reads a real clock,
// so a run is the same each time and takes as long as its events, not as its seconds.

export type Process<T> = Generator<number, T, void>;

interface Event {
  readonly at: number;
  /** Of two events of one moment the earlier planned one comes first: the order never hangs on the heap. */
  readonly order: number;
  readonly process: Process<void>;
}

export class Simulation {
  now = 0;
  private planned = 0;
  private readonly heap: Event[] = [];

  spawn(process: Process<void>, delayMs = 0): void {
    if (!(delayMs >= 0)) throw new Error(`a process cannot wait ${delayMs} ms`);
    this.push({ at: this.now + delayMs, order: this.planned++, process });
  }

  /** Runs until nothing is planned any more. */
  run(): void {
    for (let event = this.pop(); event !== undefined; event = this.pop()) {
      this.now = event.at;
      const step = event.process.next();
      if (step.done !== true) this.spawn(event.process, step.value);
    }
  }

  private push(event: Event): void {
    let hole = this.heap.length;
    while (hole > 0) {
      const above = (hole - 1) >> 1;
      const parent = this.heap[above];
      if (parent === undefined || before(parent, event)) break;
      this.heap[hole] = parent;
      hole = above;
    }
    this.heap[hole] = event;
  }

  private pop(): Event | undefined {
    const first = this.heap[0];
    const last = this.heap.pop();
    if (last === undefined || first === undefined || this.heap.length === 0) return first;
    let hole = 0;
    for (;;) {
      const left = this.heap[2 * hole + 1];
      const right = this.heap[2 * hole + 2];
      const next = right !== undefined && left !== undefined && before(right, left) ? right : left;
      if (next === undefined || before(last, next)) break;
      this.heap[hole] = next;
      hole = 2 * hole + (next === right ? 2 : 1);
    }
    this.heap[hole] = last;
    return first;
  }
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
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
