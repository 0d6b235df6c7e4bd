import { drawSchedules } from './arbitrary.ts';
import { runInMemory } from './try-schedules.ts';

const seconds = Number(process.env.SECS ?? 300);
let seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const ends = performance.now() + seconds * 1000;
let n = 0,
  failed = 0;
while (performance.now() < ends) {
  let run = 0;
  for (const { config, steps } of drawSchedules(seed, 200)) {
    run++;
    n++;
    const r = await runInMemory(config, steps);
    if (r.failure) {
      failed++;
      console.log(`SEED ${seed} run ${run}: ${r.failure.message} ${JSON.stringify(config)}`);
    }
    if (performance.now() > ends) break;
  }
  seed = (seed + 1) % 2 ** 31;
}
console.log(`${n} schedules, ${failed} failed`);
