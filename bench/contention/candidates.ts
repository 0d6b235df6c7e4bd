// The three write patterns that ADR 1 compares, as sequences of requests. A candidate only says what it writes, in which
// order and under which condition; when it tries again is the caller's.

import type { Answer, Database, ItemState, Write } from './database.ts';
import { all, type Process, type Simulation } from './simulation.ts';

/** Where the items of one username lie. */
export interface Layout {
  /** Counters that share the limit. */
  readonly shards: number;
  /** Partitions that its session items, and their entries by expiry, are spread over. */
  readonly sessionPartitions: number;
  /** Confirmed places are folded into a number, this many in one write; 0: never. */
  readonly fold: number;
}

/** One session of one username. */
export interface Session {
  readonly username: number;
  readonly client: number;
  readonly limit: number;
  readonly layout: Layout;
}

export type Verdict = 'admitted' | 'full' | 'unavailable';

/** Repeats a request until it is done or refused; `throttled` or `conflict` where its time ran out. */
export type Retry = (request: () => Process<Answer>) => Process<Answer>;

export interface Candidate {
  readonly name: string;
  admit(session: Session, retry: Retry): Process<Verdict>;
  free(session: Session, retry: Retry): Process<Verdict>;
}

/** As many as the product has: constants.ts. */
const wakePartitions = 16;
const usernamePartitions = 16;
const placeBytes = 9;
const claimBytes = 40;

const wake = (seed: number): string => `wake ${seed % wakePartitions}`;

/** Scattered, as a hash of the client id would: neither even nor in order of arrival. */
function bucketOf(client: number, buckets: number): number {
  let mixed = Math.imul(client ^ (client >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0) % buckets;
}

export const homeShard = ({ client, layout }: Session): number => bucketOf(client, layout.shards);

export function counterName({ username }: Session, shard: number): string {
  return `counter ${username}/${shard}`;
}

/** The limit's part of one shard; the first ones take what does not divide. */
function part(session: Session, shard: number): number {
  const { shards } = session.layout;
  return Math.floor(session.limit / shards) + (shard < session.limit % shards ? 1 : 0);
}

function counterWrite(session: Session, shard: number, apply: (item: ItemState) => void, limited: boolean): Write {
  return {
    partition: `N ${(session.username + shard) % usernamePartitions}`,
    item: counterName(session, shard),
    ...(limited ? { allows: (item: ItemState) => item.used < part(session, shard) } : {}),
    apply,
  };
}

/** `due`: whether the entry by expiry comes or goes; `lease`: the entry that the sweeper finds a pending attempt by. */
export function sessionWrite(session: Session, entries: { readonly due: boolean; readonly lease: boolean }): Write {
  const at = `${session.username}/${bucketOf(session.client, session.layout.sessionPartitions)}`;
  return {
    partition: `S ${at}`,
    item: `session ${session.username}/${session.client}`,
    indexes: [...(entries.due ? [`due ${at}`] : []), ...(entries.lease ? [wake(session.client)] : [])],
  };
}

const created = { due: true, lease: true };
const ended = { due: true, lease: false };

const ownerWrite = ({ username, client }: Session): Write => {
  const name = `owner ${username}/${client}`;
  return { partition: name, item: name };
};

const grow = (used: number, bytes: number) => (item: ItemState) => {
  item.used += used;
  item.bytes += bytes;
};

export function createCandidates(simulation: Simulation, database: Database): readonly Candidate[] {
  const verdictOf = (answer: Answer): Verdict =>
    answer === 'done' ? 'admitted' : answer === 'refused' ? 'full' : 'unavailable';

  /** A batch read first: a username that is full is rejected without a write. */
  function* looksFull(session: Session, retry: Retry): Process<Answer> {
    const shard = homeShard(session);
    const answer = yield* retry(() => database.read([`N ${(session.username + shard) % usernamePartitions}`]));
    if (answer !== 'done' || session.layout.shards > 1) return answer;
    return database.item(counterName(session, shard)).used < session.limit ? 'done' : 'refused';
  }

  /** Counts in the client's shard; where that is full, reads all and tries one that has room, until none has. */
  function* countIn(
    session: Session,
    retry: Retry,
    write: (shard: number) => Process<Answer>,
  ): Process<[Answer, number]> {
    const { shards } = session.layout;
    let shard = homeShard(session);
    for (;;) {
      const tried = shard;
      const answer = yield* retry(() => write(tried));
      if (answer !== 'refused' || shards === 1) return [answer, shard];
      const names = Array.from({ length: shards }, (_, each) => each);
      const read = yield* retry(() =>
        database.read(names.map((each) => `N ${(session.username + each) % usernamePartitions}`)),
      );
      if (read !== 'done') return [read, shard];
      const roomy = names.filter((each) => database.item(counterName(session, each)).used < part(session, each));
      const next = roomy[session.client % Math.max(1, roomy.length)];
      if (next === undefined) return ['refused', shard];
      shard = next;
    }
  }

  const transaction: Candidate = {
    name: 'transaction',
    *admit(session, retry) {
      const looked = yield* looksFull(session, retry);
      if (looked !== 'done') return verdictOf(looked);
      const owned = yield* retry(() => database.write(ownerWrite(session)));
      if (owned !== 'done') return 'unavailable';
      const [answer] = yield* countIn(session, retry, (shard) =>
        database.transact([counterWrite(session, shard, grow(1, 0), true), sessionWrite(session, created)]),
      );
      return verdictOf(answer);
    },
    *free(session, retry) {
      const shard = homeShard(session);
      const writes = [counterWrite(session, shard, grow(-1, 0), false), sessionWrite(session, ended)];
      return verdictOf(yield* retry(() => database.transact(writes)));
    },
  };

  const claim: Candidate = {
    name: 'claim',
    *admit(session, retry) {
      const looked = yield* looksFull(session, retry);
      if (looked !== 'done') return verdictOf(looked);
      const [counted, shard] = yield* countIn(session, retry, (each) =>
        database.write(counterWrite(session, each, grow(1, claimBytes), true)),
      );
      if (counted !== 'done') return verdictOf(counted);
      const written = yield* all([
        retry(() => database.write(sessionWrite(session, created))),
        retry(() => database.write(ownerWrite(session))),
      ]);
      if (!written.every((answer) => answer === 'done')) return 'unavailable';
      return verdictOf(yield* retry(() => database.write(counterWrite(session, shard, grow(0, -claimBytes), false))));
    },
    *free(session, retry) {
      const shard = homeShard(session);
      const steps = [
        sessionWrite(session, ended),
        counterWrite(session, shard, grow(-1, claimBytes), false),
        counterWrite(session, shard, grow(0, -claimBytes), false),
      ];
      return yield* inOrder(steps, retry);
    },
  };

  const roster: Candidate = {
    name: 'roster',
    *admit(session, retry) {
      const looked = yield* looksFull(session, retry);
      if (looked !== 'done') return verdictOf(looked);
      const prepared = yield* inOrder([sessionWrite(session, created), ownerWrite(session)], retry);
      if (prepared !== 'admitted') return prepared;
      const [counted, shard] = yield* countIn(session, retry, (each) =>
        database.write(counterWrite(session, each, grow(1, placeBytes), true)),
      );
      if (counted === 'refused') yield* retry(() => database.write(sessionWrite(session, created)));
      if (counted === 'done' && session.layout.fold > 0) foldLater(session, shard);
      return verdictOf(counted);
    },
    *free(session, retry) {
      const shard = homeShard(session);
      const steps = [sessionWrite(session, ended), counterWrite(session, shard, grow(-1, -placeBytes), false)];
      return yield* inOrder(steps, retry);
    },
  };

  function* inOrder(writes: readonly Write[], retry: Retry): Process<Verdict> {
    for (const write of writes) {
      const answer = yield* retry(() => database.write(write));
      if (answer !== 'done') return verdictOf(answer);
    }
    return 'admitted';
  }

  const unfolded = new Map<string, number>();

  /** The presence handler's part, after confirm: one more counter write for every `fold` places. */
  function foldLater(session: Session, shard: number): void {
    const name = counterName(session, shard);
    const { fold } = session.layout;
    const fresh = (unfolded.get(name) ?? 0) + 1;
    unfolded.set(name, fresh % fold);
    if (fresh < fold) return;
    const write = counterWrite(session, shard, grow(0, -fold * placeBytes), false);
    simulation.spawn(repeated(write), 1_000);
  }

  function* repeated(write: Write): Process<void> {
    while ((yield* database.write(write)) !== 'done') yield 50;
  }

  return [transaction, claim, roster];
}
