import BarChart from '@cloudscape-design/components/bar-chart';
import Box from '@cloudscape-design/components/box';
import type { RejectionsOfHour } from '../client/types.ts';
import { hoursUntil } from './hours.ts';

const hoursShown = 24;
const onAxis = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

export default function RejectionsChart(given: { readonly hours: readonly RejectionsOfHour[]; readonly until: Date }) {
  const hours = hoursUntil(given.until, hoursShown, given.hours);
  const most = Math.max(...hours.map(({ rejections }) => rejections));
  const all = hours.reduce((sum, { rejections }) => sum + rejections, 0);
  return (
    <>
      <Box variant="p" color="text-body-secondary">
        {all === 0
          ? `No rejections in the last ${hoursShown} hours.`
          : `${all.toLocaleString()} in the last ${hoursShown} hours, at most ${most.toLocaleString()} in one.`}
      </Box>
      <BarChart
        height={180}
        hideFilter
        hideLegend
        ariaLabel={`Rejections per hour of the last ${hoursShown} hours`}
        xScaleType="categorical"
        xTitle="Hour"
        yTitle="Rejections"
        yDomain={[0, Math.max(4, most)]}
        series={[
          {
            type: 'bar',
            title: 'Rejections',
            data: hours.map(({ hour, rejections }) => ({ x: hour.toISOString(), y: rejections })),
          },
        ]}
        i18nStrings={{
          xTickFormatter: (hour) => onAxis.format(new Date(hour)),
          detailPopoverDismissAriaLabel: 'Close',
          chartAriaRoleDescription: 'bar chart',
        }}
        detailPopoverSeriesContent={({ x, y }) => ({ key: whole.format(new Date(x)), value: y.toLocaleString() })}
        empty="No rejections."
      />
    </>
  );
}
