import { fleetReturns, fleetLeaves, limitChanges, burst } from '/work/main/bench/fleet/scenarios.ts';
const n = Number(process.argv[2]); const which = process.argv[3] ?? 'new';
const show = (what: string, o: any) => console.log(what, JSON.stringify({ told: o.told, inTime: o.inTime, over: o.overAdmitted, false: o.falselyRejected, used: o.used, live: o.live, answers: o.answers, last: o.lastAnswerMs, quiet: o.quietAfterMs, thr: o.throttled, conf: o.conflicts, req: o.requests, reasons: o.reasons, hot: o.hottest.filter((h: any) => h.throttled > 0), givenUp: o.givenUp, freed: o.freedAfterMs }));
const t = Date.now();
if (which === 'leave') show('leave', await fleetLeaves({ seed: 1, sessions: n }));
else if (which === 'halve') show('halve', await limitChanges({ seed: 1, sessions: n, perSecond: 3000, limit: n }));
else if (which === 'burst') show('burst', await burst({ seed: 1, sessions: 500, limit: n }));
else show(which, await fleetReturns({ seed: 1, sessions: n, perSecond: 3000, limit: (process.argv[4] ?? n) as any === 'none' ? 'none' : process.argv[4] === 'whitelisted' ? 'whitelisted' : n, as: which as any }));
console.log('real s', (Date.now() - t) / 1000);

