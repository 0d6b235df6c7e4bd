import fc from 'fast-check';
import { MemoryEngine } from '/work/main/test/model/memory-engine.ts';
import { arbitraryConfig, arbitrarySteps } from '/work/main/test/model/arbitrary.ts';
import { runModel } from '/work/main/test/model/run-model.ts';
import { Reached } from '/work/main/test/model/hard-states.ts';
const runs = Number(process.env.RUNS ?? 300), seed = Number(process.env.SEED ?? 1);
const force = JSON.parse(process.env.FORCE ?? '{}');
const reached = new Reached(); let steps = 0; let n=0;
const t0=Date.now();
const engine = () => ({ client: new MemoryEngine() as never, tableName: 't' });
const fails = new Map<string,{n:number; ex:any}>();
if (process.env.SURVEY) {
  for (const [c,s] of fc.sample(fc.tuple(arbitraryConfig, arbitrarySteps), { numRuns: runs, seed })) {
    try { const w = await runModel(engine(), {...c,...force}, s); steps+=w.steps; reached.add(w.reached); } catch (e:any) { const k=e.message.split('\n')[0].replace(/c\d|ann|ben|\d+/g,'#'); const f=fails.get(k)??{n:0,ex:undefined}; f.n++; fails.set(k,f); }
  }
  console.log(Date.now()-t0,'ms', runs, 'runs', steps,'steps'); console.log([...fails].map(([k,f])=>f.n+' '+k).join('\n')); console.log(Object.fromEntries(reached.counts));
} else {
  const r = await fc.check(fc.asyncProperty(arbitraryConfig, arbitrarySteps, async (c,s) => { try { const w = await runModel(engine(), {...c,...force}, s); steps+=w.steps; reached.add(w.reached); n++; } catch (e:any) { if (process.env.ONLY && !new RegExp(process.env.ONLY).test(e.message.split('\n')[0])) return; throw e; } }), { seed, numRuns: runs });
  console.log(Date.now()-t0,'ms', n, 'ok runs', steps,'steps');
  if (r.failed) { console.log(JSON.stringify(r.counterexample?.[0]), r.counterexample?.[1].length, 'path', r.counterexamplePath); console.log((r.errorInstance as Error).message); console.log(String((r.errorInstance as Error).stack).split('\n').filter(l=>l.includes('    at ')).slice(0,8).join('\n')); }
  else console.log(Object.fromEntries(reached.counts));
}
