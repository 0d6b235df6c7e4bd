// The order of the test files: what takes long begins first, so that no worker is left alone with it at the end. Vitest
// orders by what it measured on this machine before, which a fresh clone has not. Files need no order: it only saves time.

import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Folders and files by what begins their path, the longest first. Whatever is missing here only starts later. */
const longest: readonly string[] = [
  'test/e2e/burst',
  // Mostly waits, and so leaves the machine to the burst that begins with it.
  'test/remote/',
  'test/e2e/kick',
  'test/e2e/kill',
  'test/model/model',
  'test/e2e/process',
  'test/infra/package',
  'test/console/everybody',
  'test/e2e/',
  'test/console/',
  'test/bench/sections',
  'test/bench/fleet',
  'test/model/',
  'test/bench/',
  'test/core/sweep',
  'test/core/reconcile',
  'test/core/recount',
  'test/infra/deployed',
  'test/core/operations',
  'test/usage/size',
  'test/contract/session-store',
  'test/api/fuzz',
  'test/infra/',
  'test/core/',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const path = moduleId.slice(this.ctx.config.root.length + 1);
      const at = longest.findIndex((begin) => path.startsWith(begin));
      return at < 0 ? longest.length : at;
    };
    // A process is kept for the next file only if that one shares it too, so those that do come together, at the end.
    const shares = ({ project }: TestSpecification): number => (project.config.isolate ? 0 : 1);
    return (await super.sort(files)).sort((a, b) => shares(a) - shares(b) || rank(a) - rank(b));
  }
}
