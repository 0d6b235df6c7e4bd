// The processes of a local DynamoDB engine, found by the port that they were started with.

import { readdirSync, readFileSync } from 'node:fs';

/** Process ids, the shell that watches the engine among them. */
export function processesOn(endpoint: string): readonly string[] {
  const { port } = new URL(endpoint);
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return words.includes('--port') && words.includes(port);
    } catch {
      return false;
    }
  });
}

/** The engine itself; undefined while it does not run. */
export function engineOn(endpoint: string): number | undefined {
  const pid = processesOn(endpoint).find((one) => {
    try {
      return readFileSync(`/proc/${one}/comm`, 'utf8') === 'dynoxide\n';
    } catch {
      return false;
    }
  });
  return pid === undefined ? undefined : Number(pid);
}
