// The refresh icon, and the choice to have it pressed by itself: each time costs one page read.

import Button from '@cloudscape-design/components/button';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { useInterval } from '../state/use-interval.ts';

const choices = [
  { value: '0', label: 'Auto refresh: off' },
  { value: '10', label: 'Auto refresh: 10 s' },
  { value: '60', label: 'Auto refresh: 60 s' },
];

export function Refresh({ of, ...given }: { readonly of: string; readonly loading: boolean; onRefresh(): void }) {
  return (
    <Button
      iconName="refresh"
      ariaLabel={`Refresh ${of}`}
      loading={given.loading}
      loadingText={`Refreshing ${of}`}
      onClick={given.onRefresh}
    />
  );
}

export function LiveRefresh(given: { readonly of: string; readonly loading: boolean; onRefresh(): void }) {
  const [choice, setChoice] = useState('0');
  useInterval(Number(choice), () => {
    // An answer that takes longer than the interval is not asked for twice.
    if (!given.loading) given.onRefresh();
  });
  return (
    <SpaceBetween direction="horizontal" size="xs">
      <Select
        selectedOption={choices.find((one) => one.value === choice) ?? null}
        options={choices}
        onChange={({ detail }) => setChoice(detail.selectedOption.value ?? '0')}
        ariaLabel="Auto refresh"
      />
      <Refresh {...given} />
    </SpaceBetween>
  );
}
