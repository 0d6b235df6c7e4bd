// S24: how many lines of the log measuring takes does not follow from how many CONNECTs strangers send.

import { expect, test } from 'vitest';
import { createEmfMeasure } from '../../shared/adapters/node/emf-metrics.ts';
import { createTally } from '../../shared/app/common/tally.ts';
import { ms } from '../../shared/domain/time.ts';

function rig() {
  const lines: string[] = [];
  const tally = createTally(createEmfMeasure('frontdoor', { now: () => ms(1_000) }, (line) => lines.push(line)));
  const written = () => lines.splice(0).map((line) => (({ _aws, component, ...values }) => values)(JSON.parse(line)));
  return { tally, written };
}

test('counts are summed and latencies listed in one line, and nothing is written of nothing', () => {
  const { tally, written } = rig();
  tally.flush();
  for (const latency of [3, 4]) tally.measure({ RejectedCredentials: 1, ConnectLatency: latency });
  tally.measure({ Admitted: 1, ConnectLatency: 5 });
  tally.measure({ Departed: 1 });
  expect(written()).toEqual([]);
  tally.flush();
  tally.flush();
  expect(written()).toEqual([{ RejectedCredentials: 2, Admitted: 1, Departed: 1, ConnectLatency: [3, 4, 5] }]);
});

test('no line lists more than 100 values, and none is lost', () => {
  const { tally, written } = rig();
  for (let n = 0; n < 250; n++) tally.measure({ RejectedCredentials: 1, ConnectLatency: n });
  tally.flush();
  const lines = written();
  expect(lines.map(({ RejectedCredentials }) => RejectedCredentials)).toEqual([100, 100, 50]);
  expect(lines.flatMap(({ ConnectLatency }) => ConnectLatency)).toEqual(Array.from({ length: 250 }, (_, n) => n));
});
