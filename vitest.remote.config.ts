// `npm run test:remote` only: needs a deployed stack, and is no part of `npm test`.

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['test/remote/*.remote.ts'], pool: 'forks', maxWorkers: 1, passWithNoTests: false },
});
