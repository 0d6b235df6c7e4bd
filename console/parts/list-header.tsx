// The head of a list that can be added to: what it is, the refresh icon, and the button that adds.

import Header, { type HeaderProps } from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { ReactNode } from 'react';
import { Refresh } from './refresh.tsx';

export function ListHeader(given: {
  readonly variant: HeaderProps.Variant;
  readonly title: string;
  readonly description: string;
  /** What the list holds, as it stands in a sentence: `MQTT users`. */
  readonly what: string;
  readonly pages: { readonly loading: boolean; reload(): void };
  /** The button; false for who may not add. */
  readonly add: ReactNode;
}) {
  const { variant, title, description, what, pages, add } = given;
  return (
    <Header
      variant={variant}
      description={description}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          <Refresh of={what} loading={pages.loading} onRefresh={pages.reload} />
          {add}
        </SpaceBetween>
      }
    >
      {title}
    </Header>
  );
}
