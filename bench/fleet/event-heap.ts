// What is planned, the next first: a binary heap.

export interface Event {
  readonly at: number;
  /** Of two events of one moment the earlier planned one comes first: the order never hangs on the heap. */
  readonly order: number;
}

export class EventHeap<E extends Event> {
  private readonly heap: E[] = [];

  push(event: E): void {
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

  pop(): E | undefined {
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
