// A bounded queue that deployments share, and the source addresses within each deployment. The deployments take turns,
// and so do the addresses of one deployment; within an address the order is that of arrival. A full queue drops the newest
// entry of the largest share, so a flood sheds its own entries and never a newcomer of another share. Pure: no clock, no
// promises.

export interface Share {
  /** Empty for all deployments that are unknown: made-up names do not make shares. */
  readonly deployment: string;
  /** As `networkOf` gives it; empty where the address is unknown, and then the deployment alone counts. */
  readonly address: string;
}

export interface FairQueueOptions {
  readonly maxWaiting: number;
  /** The most of one address; default: as many as in all. */
  readonly maxOfAddress?: number;
  /** Entries that an address is served in one turn; at least 1, and 1 by default. */
  readonly weightOf?: (share: Share) => number;
}

interface Line<T> {
  readonly share: Share;
  readonly waiting: T[];
  /** Served in its present turn. */
  served: number;
}

interface Group<T> {
  size: number;
  /** In the order of their turns. */
  readonly lines: Map<string, Line<T>>;
}

export class FairQueue<T> {
  readonly #maxWaiting: number;
  readonly #maxOfAddress: number;
  readonly #weightOf: (share: Share) => number;
  /** By deployment, in the order of their turns. */
  readonly #groups = new Map<string, Group<T>>();
  #size = 0;

  constructor({ maxWaiting, maxOfAddress = maxWaiting, weightOf = () => 1 }: FairQueueOptions) {
    this.#maxWaiting = maxWaiting;
    this.#maxOfAddress = maxOfAddress;
    this.#weightOf = weightOf;
  }

  get size(): number {
    return this.#size;
  }

  /** Returns the entry that found no room: another one, `item` itself, or undefined where there was room for all. */
  enter(share: Share, item: T): T | undefined {
    const group = this.#groups.get(share.deployment) ?? { size: 0, lines: new Map<string, Line<T>>() };
    const line = group.lines.get(share.address) ?? { share, waiting: [], served: 0 };
    if (line.waiting.length >= this.#maxOfAddress) return item;
    line.waiting.push(item);
    group.lines.set(share.address, line);
    group.size++;
    this.#groups.set(share.deployment, group);
    this.#size++;
    return this.#size > this.#maxWaiting ? this.#dropFromLargest(group, line) : undefined;
  }

  /** False where the entry is not in the queue. */
  leave(share: Share, item: T): boolean {
    const group = this.#groups.get(share.deployment);
    const line = group?.lines.get(share.address);
    const at = line?.waiting.lastIndexOf(item) ?? -1;
    if (group === undefined || line === undefined || at < 0) return false;
    line.waiting.splice(at, 1);
    this.#noteRemoved(group, line);
    return true;
  }

  /** The entry whose turn it is. */
  next(): T | undefined {
    const [group] = this.#groups.values();
    const [line] = group?.lines.values() ?? [];
    if (group === undefined || line === undefined) return undefined;
    const item = line.waiting.shift();
    line.served++;
    this.#noteRemoved(group, line);
    if (line.waiting.length > 0 && line.served >= this.#weightOf(line.share)) {
      line.served = 0;
      moveToEnd(group.lines, line.share.address, line);
    }
    if (group.size > 0) moveToEnd(this.#groups, line.share.deployment, group);
    return item;
  }

  /** Empties the queue. */
  clear(): readonly T[] {
    const all = [...this.#groups.values()].flatMap(({ lines }) =>
      [...lines.values()].flatMap(({ waiting }) => waiting),
    );
    this.#groups.clear();
    this.#size = 0;
    return all;
  }

  /** Among equals the newcomer's own share, so that shares of one size do not push each other out. */
  #dropFromLargest(ofNewcomer: Group<T>, lineOfNewcomer: Line<T>): T | undefined {
    let group = ofNewcomer;
    for (const other of this.#groups.values()) if (other.size > group.size) group = other;
    let line = group === ofNewcomer ? lineOfNewcomer : undefined;
    for (const other of group.lines.values())
      if (line === undefined || this.#sizeOf(other) > this.#sizeOf(line)) line = other;
    const dropped = line?.waiting.pop();
    if (line !== undefined) this.#noteRemoved(group, line);
    return dropped;
  }

  #sizeOf({ share, waiting }: Line<T>): number {
    return waiting.length / this.#weightOf(share);
  }

  #noteRemoved(group: Group<T>, line: Line<T>): void {
    this.#size--;
    group.size--;
    if (line.waiting.length === 0) group.lines.delete(line.share.address);
    if (group.size === 0) this.#groups.delete(line.share.deployment);
  }
}

function moveToEnd<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
}
