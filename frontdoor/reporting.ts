// Tells what became of one admission, in order, and tries again where telling fails. What is lost in the end is found
// by the lease (S12) and by reconciling (S13), so giving up is safe: the session goes on counting.
import type { ConnectDecision } from '../shared/domain/connect.ts';
import { seconds } from '../shared/domain/time.ts';
import type { Clock } from '../shared/ports/common/clock.ts';
import type { Log } from '../shared/ports/common/log.ts';
import type { DoorReport } from '../shared/ports/presence/presence.ts';
import type { RelayEnd } from './relay.ts';

export type Admitted = Extract<ConnectDecision, { kind: 'admitted' }>;

export interface ReportingPorts {
  readonly report: (report: DoorReport) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
  /** How long to wait before each further try, in milliseconds. */
  readonly reportRetryDelaysMs: readonly number[];
}

export class Reporting {
  readonly #ports: ReportingPorts;
  readonly #subject: Pick<DoorReport, 'deploymentId' | 'username' | 'clientId' | 'attempt' | 'uncounted'>;
  #told: Promise<void> = Promise.resolve();
  #expiryIsAccounts = false;

  constructor(ports: ReportingPorts, { deploymentId, username, clientId, attempt, uncounted }: Admitted) {
    this.#ports = ports;
    const waits = uncounted === undefined ? {} : { uncounted };
    this.#subject = { deploymentId, username, clientId, attempt, ...waits };
  }

  /** `isAccounts`: a persistent session of MQTT 3, whose expiry no packet tells. */
  connected(expirySeconds: number, isAccounts: boolean): Promise<void> {
    this.#expiryIsAccounts = isAccounts;
    return this.#tell({ ...this.#stamp(), type: 'door.connected', expirySeconds: seconds(expirySeconds) });
  }

  disconnected({ expirySeconds, changedToSeconds }: RelayEnd): Promise<void> {
    return this.#tell({
      ...this.#stamp(),
      type: 'door.disconnected',
      expirySeconds: seconds(expirySeconds),
      ...(changedToSeconds === undefined ? {} : { changedToSeconds: seconds(changedToSeconds) }),
      ...(this.#expiryIsAccounts ? { expiryIsAccounts: true as const } : {}),
    });
  }

  failed({ unsent }: { readonly unsent: boolean }): Promise<void> {
    return this.#tell({ ...this.#stamp(), type: 'door.failed', ...(unsent ? { unsent } : {}) });
  }

  #stamp() {
    return { ...this.#subject, at: this.#ports.clock.now() };
  }

  /** Never rejects. One after the other: nobody relies on the order, but keeping it saves the core work. */
  #tell(report: DoorReport): Promise<void> {
    this.#told = this.#told.then(() => deliver(this.#ports, report));
    return this.#told;
  }
}

async function deliver(ports: ReportingPorts, report: DoorReport): Promise<void> {
  for (const delayMs of [...ports.reportRetryDelaysMs, undefined]) {
    try {
      await ports.report(report);
      return;
    } catch (error) {
      const { type, deploymentId, clientId, attempt } = report;
      const fields = { type, deploymentId, clientId, attempt, error: String(error) };
      if (delayMs === undefined) ports.log.error('a report of the front door is lost', fields);
      else ports.log.warn('a report of the front door failed and is tried again', fields);
    }
    if (delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, delayMs));
  }
}
