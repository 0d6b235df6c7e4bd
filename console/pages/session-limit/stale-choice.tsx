// Somebody else saved first. Both are shown side by side, and nothing is decided for the person.

import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { SessionLimit } from '../../client/types.ts';
import { shownName } from '../../parts/shown-name.ts';
import { When } from '../../parts/when.tsx';
import { type Draft, whitelistOf } from './draft.ts';

const shownAtMost = 20;

function Names({ names }: { readonly names: readonly string[] }) {
  if (names.length === 0) return <>nobody</>;
  const more = names.length - shownAtMost;
  return (
    <span className="name">
      {names.slice(0, shownAtMost).map(shownName).join(', ')}
      {more > 0 && ` and ${more.toLocaleString()} more`}
    </span>
  );
}

export function StaleChoice(given: {
  readonly draft: Draft;
  readonly theirs: SessionLimit;
  onTakeTheirs(): void;
  onKeepMine(): void;
}) {
  const { draft, theirs } = given;
  const mine = whitelistOf(draft);
  const [inMine, inTheirs] = [new Set(mine), new Set(theirs.whitelist)];
  const sides = [
    {
      title: 'Yours',
      max: draft.max,
      length: mine.length,
      only: mine.filter((name) => !inTheirs.has(name)),
      action: (
        <Button formAction="none" onClick={given.onKeepMine}>
          Save mine over it
        </Button>
      ),
    },
    {
      title: 'Saved meanwhile',
      max: String(theirs.maxSessionsPerUsername),
      length: theirs.whitelist.length,
      only: theirs.whitelist.filter((name) => !inMine.has(name)),
      action: (
        <Button formAction="none" onClick={given.onTakeTheirs}>
          Take the saved one
        </Button>
      ),
    },
  ];
  return (
    <div role="alert">
      <Alert type="warning" header="Somebody changed these settings after you had opened them">
        <SpaceBetween size="s">
          <Box color="inherit">
            Yours are not saved yet. Saved <When at={theirs.updatedAt} />. Choose one, or go on editing below.
          </Box>
          <div className="choice">
            {sides.map(({ title, max, length, only, action }) => (
              <section key={title} aria-label={title}>
                <Box variant="h3">{title}</Box>
                <Box color="inherit">Max sessions per username: {max}</Box>
                <Box color="inherit">Whitelisted: {length.toLocaleString()}</Box>
                <Box color="inherit" padding={{ bottom: 'xs' }}>
                  Only here: <Names names={only} />
                </Box>
                {action}
              </section>
            ))}
          </div>
        </SpaceBetween>
      </Alert>
    </div>
  );
}
