import { expect, test } from 'vitest';
import { createMeters } from '../../local/prometheus.ts';

test('a counter adds up, a gauge says its last value, and each is there before it is measured', () => {
  const meters = createMeters();
  const door = meters.add('frontdoor', ['Admitted', 'Connections', 'Shed']);
  meters.add('sweeper', ['Drift']);
  meters.add('reconciler', ['Drift']);
  door({ Admitted: 1, Connections: 5 });
  door({ Admitted: 2, Connections: 4, Freed: 9 });
  expect(meters.render()).toBe(
    `# TYPE Headcount_Admitted counter
Headcount_Admitted{component="frontdoor"} 3
# TYPE Headcount_Connections gauge
Headcount_Connections{component="frontdoor"} 4
# TYPE Headcount_Shed counter
Headcount_Shed{component="frontdoor"} 0
# TYPE Headcount_Drift counter
Headcount_Drift{component="sweeper"} 0
Headcount_Drift{component="reconciler"} 0
`,
  );
});

test('latencies are a histogram whose buckets hold all that is no longer', () => {
  const meters = createMeters();
  const measure = meters.add('frontdoor', ['ConnectLatency']);
  measure({ ConnectLatency: 10 });
  measure({ ConnectLatency: [11, 99_999] });
  const lines = meters.render().split('\n');
  expect(lines[0]).toBe('# TYPE Headcount_ConnectLatency histogram');
  const value = (name: string) =>
    lines.find((line) => line.startsWith(`Headcount_ConnectLatency_${name}`))?.split(' ')[1];
  expect(value('bucket{component="frontdoor",le="5"}')).toBe('0');
  expect(value('bucket{component="frontdoor",le="10"}')).toBe('1');
  expect(value('bucket{component="frontdoor",le="25"}')).toBe('2');
  expect(value('bucket{component="frontdoor",le="20000"}')).toBe('2');
  expect(value('bucket{component="frontdoor",le="+Inf"}')).toBe('3');
  expect(value('sum')).toBe('100020');
  expect(value('count')).toBe('3');
});
