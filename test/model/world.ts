// One run: the table, the broker, the clock, and everybody who is at work. It lets one call through at a time, checks
// the invariants after each, and knows nothing of what is chosen next: that is the schedule's.

import { usualLayout } from '../../shared/adapters/dynamodb/counter/lane-items.ts';
import { createSeenDecisions, type SeenDecisions } from '../../shared/app/admission/admit-uncounted.ts';
import { createCore } from '../../shared/core/core.ts';
import type { Place } from '../../shared/domain/ids.ts';
import {
  type BrokerClientId,
  type ClientId,
  type DeploymentId,
  toBrokerClientId,
  type Username,
} from '../../shared/domain/ids.ts';
import { staleEventSeconds } from '../../shared/domain/session/bounds.ts';
import { addSeconds, type Ms, ms } from '../../shared/domain/time.ts';
import type { Clock } from '../../shared/ports/common/clock.ts';
import { isInvalid } from '../support/memory-engine/rules/invalid.ts';
import type { Actor } from './actor.ts';
import { BrokerOracle, type RealSession } from './broker-oracle.ts';
import { describeCall, kindOf } from './call-names.ts';
import { checkStep } from './check-step.ts';
import type { Dial } from './connects.ts';
import type { Engine, Planted } from './engine.ts';
import { excuseUncounted } from './excuses.ts';
import { type Fate, sdkError } from './fates.ts';
import { type BrokerCall, type Call, type Command, Gates, type StoreCall, settleMicrotasks } from './gates.ts';
import { Reached } from './hard-states.ts';
import { MessageQueue } from './message-queue.ts';
import { createModelRandom, ModelClock } from './model-clock.ts';
import { tellHappenings } from './presence-wire.ts';
import { type RunConfig, skewMaxMs } from './run-config.ts';
import { answerStale, findsNoWake } from './stale-read.ts';
import { emptyView, readTable, type TableView, userKey } from './table-view.ts';
import { Violation } from './violation.ts';

/** So small that a few sessions fill lanes, close them and open them again. */
const wideLayout = { wideAt: 1, lanes: 2, reserveMax: 2, near: 1, foldAt: 1, dropAt: 2 };

interface LateWrite {
  readonly actor: Actor;
  readonly command: Command;
}

type Sent = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown };

/** A CONNECT of each may be on its way to the broker; or its events, which alone tell of it straight to the broker. */
const togetherMs = { door: 15_000, broker: 120_000 };

/** Where one may have been let in without a count: what connects so late may be either's, for all that is written. */
const uncountedTogetherMs = 160_000;

/** As many writes back an eventually consistent read may look. */
const historyKept = 6;

export class World {
  readonly config: RunConfig;
  readonly clock = new ModelClock();
  readonly random = createModelRandom();
  readonly gates = new Gates();
  readonly oracle = new BrokerOracle(this.clock);
  readonly queue = new MessageQueue();
  readonly reached = new Reached();
  readonly trace: string[] = [];
  readonly actors: Actor[] = [];
  readonly lateWrites: LateWrite[] = [];
  view: TableView = emptyView;
  steps = 0;
  /** The limit of both deployments; Infinity: not enforced. */
  max: number;
  /** The front door at work; one that has died gets no number again. */
  door = 1;
  readonly dials: Dial[] = [];
  /** Usernames that clients were let in of without a count. */
  readonly uncounted = new Set<string>();
  readonly seen: SeenDecisions;
  /** Attempts that reached the broker later than any time-out allows. */
  readonly lateAttempts = new Set<string>();
  /** Places of lives that are over and whose records name another life by now. */
  readonly pastPlaces = new Set<Place>();
  /** By username: the highest limit that any admission had. */
  readonly ceilings = new Map<string, number>();
  readonly engine: Engine;
  readonly planted: Planted;
  private readonly asked = new Map<BrokerClientId, { username: Username; at: Ms }>();
  private readonly contested = new Set<BrokerClientId>();
  private readonly late = new Set<BrokerClientId>();
  private readonly halfKicked = new Set<BrokerClientId>();
  private history: TableView[] = [emptyView];
  private broken: unknown;

  constructor(engine: Engine, config: RunConfig, planted: Planted = {}) {
    this.engine = engine;
    this.config = config;
    this.planted = planted;
    this.max = config.max;
    this.seen = createSeenDecisions(this.clock);
  }

  /** What a process has in hand: its own way to the table and to the broker, and nothing that passes by the gate. */
  portsFor(actor: Actor) {
    const client = this.gates.clientFor(actor);
    const clock = this.clockOf(actor);
    const layout = this.config.wide ? wideLayout : usualLayout;
    const broker = this.gates.brokerFor(actor);
    return createCore({
      client,
      tableName: this.engine.tableName,
      clock,
      random: this.random,
      // A store that pauses before its next try waits at the gate as well.
      storeOptions: { layout, backOff: async () => undefined },
      aroundStore: (sound) => this.planted.store?.(sound, actor, clock) ?? sound,
      broker: this.planted.broker?.(broker, actor) ?? broker,
    });
  }

  /** In runs with skew no two processes' clocks agree. */
  private clockOf(actor: Actor): Clock {
    if (!this.config.skew) return this.clock;
    const skewMs = ((actor.id * 7_919) % (2 * skewMaxMs + 1)) - skewMaxMs;
    return { now: () => ms(this.clock.now() + skewMs) };
  }

  /** Two usernames have asked for one client id at about the same time: afterwards nobody can tell their CONNECTs apart. */
  noteAsked(deploymentId: DeploymentId, clientId: ClientId, username: Username, witness: 'door' | 'broker'): void {
    const key = toBrokerClientId(deploymentId, clientId);
    const last = this.asked.get(key);
    const within = this.config.admits ? uncountedTogetherMs : togetherMs[witness];
    if (last !== undefined && last.username !== username && this.clock.now() - last.at <= within)
      this.contested.add(key);
    this.asked.set(key, { username, at: this.clock.now() });
  }

  noteHeard(id: BrokerClientId, sentAt: Ms): void {
    if (addSeconds(sentAt, staleEventSeconds) < this.clock.now()) this.late.add(id);
  }

  hasHeardLate(): boolean {
    return this.late.size > 0;
  }

  /** A message about this client id came after more than an hour. */
  heardLate({ deploymentId, clientId }: { deploymentId: DeploymentId; clientId: ClientId }): boolean {
    return this.late.has(toBrokerClientId(deploymentId, clientId));
  }

  noteKicked(id: BrokerClientId): void {
    this.halfKicked.delete(id);
  }

  /** The broker was told to end it, and nobody has come back to say that it is written down. */
  isHalfKicked({ deploymentId, clientId }: { deploymentId: DeploymentId; clientId: ClientId }): boolean {
    return this.halfKicked.has(toBrokerClientId(deploymentId, clientId));
  }

  isContested({ deploymentId, clientId }: { deploymentId: DeploymentId; clientId: ClientId }): boolean {
    return this.contested.has(toBrokerClientId(deploymentId, clientId));
  }

  async start(
    actor: Omit<Actor, 'id' | 'state' | 'lastWrite' | 'faulted' | 'startedAt'>,
    work: (actor: Actor) => Promise<void>,
  ): Promise<Actor> {
    const started: Actor = {
      ...actor,
      id: this.actors.length + 1,
      startedAt: this.clock.now(),
      state: 'running',
      lastWrite: undefined,
      faulted: false,
    };
    this.actors.push(started);
    this.tell(started, 'starts');
    void work(started).then(
      () => this.end(started),
      (error: unknown) => {
        this.broken ??= error;
        this.end(started);
      },
    );
    await this.settle();
    return started;
  }

  running(): Actor[] {
    return this.actors.filter((actor) => actor.state === 'running');
  }

  /** The process is gone: what it has not sent is never sent, what comes back finds nobody. */
  kill(actor: Actor): void {
    if (actor.state !== 'running') return;
    actor.state = 'dead';
    this.gates.forget(actor);
    this.tell(actor, 'dies');
    if (actor.kind === 'connect' && (actor.lastWrite === 'session' || actor.lastWrite === 'owner'))
      this.reached.note('died between session and roster');
    for (const message of this.queue.messages) {
      if (message.handler === actor.id) {
        this.queue.release(message);
        message.lostHandler = true;
      }
    }
  }

  async letThrough(call: Call, fate: Fate, draw: number): Promise<void> {
    this.gates.take(call);
    this.steps++;
    this.tick();
    const { actor } = call;
    this.tell(actor, `${describeCall(call)}${fate === 'passes' ? '' : `: ${fate}`}`);
    if (fate !== 'passes' && fate !== 'reads stale') actor.faulted = true;
    if (fate === 'dies before') return this.kill(actor);
    if (call.to === 'store' && countsMany(call.command)) this.reached.note('counted together');
    if (call.to === 'broker' && call.what === 'end') return this.endAtBroker(call, fate, draw);
    if (call.to === 'broker') {
      const says = fate === 'is not known' ? ({ kind: 'unknown' } as const) : this.oracle.says(call.id);
      this.tell(actor, `  broker says ${says.kind}`);
      call.answer(says);
      return this.settle();
    }
    await this.carryOut(call, fate, draw);
    await this.settle();
  }

  /** Where the answer is lost, the broker may have done it or not. */
  private endAtBroker(call: BrokerCall, fate: Fate, draw: number): Promise<void> {
    const lost = fate === 'is not known';
    const { answer, happened } = lost && draw % 2 === 0 ? { answer: 'gone', happened: [] } : this.oracle.end(call.id);
    tellHappenings(this, happened, draw);
    if (call.actor.kind === 'worker') {
      this.reached.note('kicked');
      this.halfKicked.add(call.id);
    } else if (call.actor.kind === 'connect') this.halfKicked.add(call.id);
    else this.reached.note('ended what its client had given up');
    this.tell(call.actor, `  broker says ${lost ? 'unknown' : answer}`);
    call.answer(lost ? 'unknown' : answer);
    return this.settle();
  }

  /** No two things happen at the same millisecond. */
  tick(): void {
    this.clock.advance(1);
    tellHappenings(this, this.oracle.cutOld(), 0);
  }

  /** A request that its sender has given up arrives. */
  async land(late: LateWrite): Promise<void> {
    this.lateWrites.splice(this.lateWrites.indexOf(late), 1);
    this.steps++;
    this.tell(late.actor, `late ${late.command.constructor.name} lands`);
    this.reached.note('late write landed');
    await this.send(late.actor, late.command, true);
  }

  tell(actor: Actor | undefined, what: string): void {
    const at = (this.clock.elapsed() / 1000).toFixed(3).padStart(11);
    this.trace.push(`${at} ${actor === undefined ? '' : `${actor.kind} ${actor.id} (${actor.title}) `}${what}`);
  }

  /** Lets everybody run as far as they get, then looks whether something broke. */
  async settle(): Promise<void> {
    for (;;) {
      await settleMicrotasks();
      if (this.broken !== undefined) throw this.broken;
      // A sweep asks 16 partitions of the index; where nothing is due, there is nothing to interleave with.
      const idle = this.gates.waiting.find((call) => call.to === 'store' && findsNoWake(call, this.view));
      if (idle === undefined) return;
      this.gates.take(idle);
      idle.answer({ Items: [] });
    }
  }

  /** Lets somebody do all that is left, without a fault. */
  async finish(actor: Actor): Promise<void> {
    while (actor.state === 'running') {
      const call = this.gates.waiting.find((one) => one.actor === actor);
      if (call === undefined) throw new Error(`${actor.kind} ${actor.id} waits for nothing and is not done`);
      await this.letThrough(call, 'passes', 0);
    }
  }

  /** Time has passed, or the broker has done something. */
  checkNow(): void {
    checkStep(this, this.view, undefined);
  }

  async refresh(): Promise<void> {
    this.remember(await readTable(this.engine.client, this.engine.tableName));
  }

  /** Changes the table behind everybody's back, as the database itself does. */
  async aside(work: (client: Engine['client'], tableName: string) => Promise<unknown>): Promise<void> {
    await work(this.engine.client, this.engine.tableName);
    await this.refresh();
    this.checkNow();
  }

  raiseCeiling(deploymentId: DeploymentId, username: Username, max: number): void {
    const key = userKey(deploymentId, username);
    this.ceilings.set(key, Math.max(this.ceilings.get(key) ?? 0, max));
  }

  /** Why a real session need not be counted now; see the list in excuses.ts. */
  excuseUncounted(real: RealSession): string | undefined {
    return excuseUncounted(this, real);
  }

  /** A place that was counted without asking the limit: a fault must have come before it. */
  noteForced(what: string, excuse: string | undefined): void {
    this.tell(undefined, `  forced: ${what}`);
    this.reached.note('counted whatever the limit');
    if (excuse === undefined) this.violate('I1', `counted whatever the limit, and no fault was near: ${what}`);
  }

  private end(actor: Actor): void {
    if (actor.state === 'running') actor.state = 'done';
  }

  private async carryOut(call: StoreCall, fate: Fate, draw: number): Promise<void> {
    const { actor, command } = call;
    switch (fate) {
      case 'is throttled':
        return call.fail(sdkError('ProvisionedThroughputExceededException'));
      case 'times out, lost':
        return call.fail(sdkError('TimeoutError'));
      case 'times out, late':
        this.lateWrites.push({ actor, command });
        return call.fail(sdkError('TimeoutError'));
      case 'reads stale':
        this.reached.note('read stale');
        return call.answer(answerStale(call, this.history, draw));
      case 'is sent twice':
        await this.send(actor, command, call.writes);
        // The second try meets whatever happens until then.
        this.gates.waiting.push({ ...call });
        return;
      default:
    }
    const sent = await this.send(actor, command, call.writes);
    if (fate === 'dies after') return this.kill(actor);
    if (fate === 'times out, done') return call.fail(sdkError('TimeoutError'));
    if (sent.ok) call.answer(sent.value);
    else call.fail(sent.error);
  }

  /** Throws only where an invariant is broken: what the engine says is for the one who asked. */
  private async send(actor: Actor, command: Command, writes: boolean): Promise<Sent> {
    const sent = await this.engine.client.send(this.planted.tamper?.(command, actor) ?? command).then(
      (value: unknown): Sent => ({ ok: true, value }),
      (error: unknown): Sent => ({ ok: false, error }),
    );
    // Whatever its sender makes of that: sent again, it is refused again.
    if (!sent.ok && isInvalid(sent.error))
      this.violate('every request can be applied', `${kindOf(command)}: ${String(sent.error)}`);
    if (!sent.ok) this.noteRefusal(actor, command, sent.error);
    if (!writes || !sent.ok) return sent;
    const before = this.view;
    await this.refresh();
    actor.lastWrite = kindOf(command);
    this.reached.noteWrite(actor, before, this.view, this.clock.now());
    checkStep(this, before, actor);
    return sent;
  }

  private noteRefusal(actor: Actor, command: Command, error: unknown): void {
    this.tell(actor, `  refused: ${error instanceof Error ? error.name : String(error)}`);
    if (actor.kind !== 'connect' || kindOf(command) !== 'roster') return;
    const full = [...this.view.rosters.values()].some(
      ({ deploymentId, roster }) => deploymentId === actor.deploymentId && roster.used >= actor.max,
    );
    if (full) this.reached.note('race lost at the roster');
  }

  private remember(view: TableView): void {
    this.view = view;
    this.history = [...this.history, view].slice(-historyKept);
  }

  /** Old states of the table are not read for longer than replication takes. */
  forgetHistory(): void {
    this.history = [this.view];
  }

  violate(invariant: string, detail: string): never {
    throw new Violation(invariant, detail);
  }
}

function countsMany({ input }: Command): boolean {
  const { ExpressionAttributeValues: values } = input as {
    ExpressionAttributeValues?: Readonly<Record<string, unknown>>;
  };
  return Number(values?.[':count'] ?? 0) > 1;
}
