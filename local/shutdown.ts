/** What has to be undone, in the opposite order of its doing. One step that fails does not keep the others from running. */
export class Shutdown {
  private readonly steps: (() => unknown)[] = [];
  private running: Promise<void> | undefined;

  /** Registers a step that runs before those registered earlier. */
  add(step: () => unknown): void {
    this.steps.push(step);
  }

  run(): Promise<void> {
    this.running ??= this.runSteps();
    return this.running;
  }

  private async runSteps(): Promise<void> {
    for (const step of this.steps.reverse()) {
      try {
        await step();
      } catch (error) {
        process.stderr.write(`while stopping: ${String(error)}\n`);
      }
    }
  }
}

/** Ctrl-C in a terminal goes to npm as well, which passes it on: the same one comes twice. */
const sameSignalMs = 500;

/** What a signal does: the first one stops in order, the next one ends the process at once, as a kill does. */
export function createStopSignal(stop: () => void, end: () => void, nowMs: () => number): () => void {
  let firstAt: number | undefined;
  return () => {
    if (firstAt !== undefined && nowMs() - firstAt >= sameSignalMs) return end();
    if (firstAt === undefined) stop();
    firstAt ??= nowMs();
  };
}

/**
 * A stop ends every connection, and thousands of ends are not applied one by one: with a data folder (`isKept`) they are
 * left to the next start, which settles them by what the broker kept.
 */
export function createLeaving(isKept: boolean): { readonly isLeft: boolean; begin(): void } {
  let isLeft = false;
  return {
    get isLeft() {
      return isLeft;
    },
    begin() {
      isLeft = isKept;
    },
  };
}
