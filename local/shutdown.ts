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
