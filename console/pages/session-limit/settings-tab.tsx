// Settings: how many sessions, and who is not subject to it. A save that somebody else's came before is not lost: both
// are shown, and the person chooses.

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Form from '@cloudscape-design/components/form';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import type { SessionLimit, Versioned } from '../../client/types.ts';
import { ProblemAlert } from '../../parts/problem-alert.tsx';
import { When } from '../../parts/when.tsx';
import { useSession } from '../../session/use-session.ts';
import { useNotices } from '../../state/notices.tsx';
import { problemOf } from '../../state/problems.ts';
import { useAction } from '../../state/use-action.ts';
import { changeIn, type Draft, draftOf } from './draft.ts';
import { maxSessionsRule, parseMaxSessions } from './max-sessions.ts';
import { describeOver } from './over-limit.ts';
import { StaleChoice } from './stale-choice.tsx';
import { WhitelistEditor } from './whitelist-editor.tsx';

export default function SettingsTab(given: {
  readonly deploymentId: string;
  readonly stored: Versioned<SessionLimit>;
  onChanged(): void;
}) {
  const { deploymentId, onChanged } = given;
  const { client, may } = useSession();
  const { tell } = useNotices();
  const { running, problem, run, clear } = useAction();
  // What this form was filled from. It moves on by the person's own choice only, so that a reading in the background
  // neither overwrites what is typed nor makes a stale save look fresh.
  const [base, setBase] = useState(given.stored);
  const [draft, setDraft] = useState<Draft>(() => draftOf(given.stored.value));
  const [theirs, setTheirs] = useState<Versioned<SessionLimit> | undefined>();

  const readOnly = !may('settings:write');
  const change = changeIn(draft, base.value);
  const changed = change === undefined || Object.keys(change).length > 0;
  if (!changed && given.stored.value.version > base.value.version) {
    setBase(given.stored);
    setDraft(draftOf(given.stored.value));
  }

  const take = (value: Versioned<SessionLimit>): void => {
    setBase(value);
    setDraft(draftOf(value.value));
    setTheirs(undefined);
    clear();
  };

  const save = (over: Versioned<SessionLimit>): void => {
    const wanted = changeIn(draft, over.value);
    if (wanted === undefined) return;
    run(async () => {
      try {
        const answer = await client.changeSessionLimit(deploymentId, wanted, over.etag);
        take(answer);
        tell({ id: 'session-limit', kind: 'success', text: `Settings saved. ${describeOver(answer.value)}`.trim() });
        onChanged();
      } catch (error) {
        if (problemOf(error).status !== 412) throw error;
        setTheirs(await client.getSessionLimit(deploymentId));
      }
    });
  };

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save(base);
      }}
    >
      <Form
        actions={
          readOnly ? undefined : (
            <SpaceBetween direction="horizontal" size="xs">
              <Button
                formAction="none"
                variant="link"
                disabled={!changed}
                onClick={() => take(given.stored.value.version > base.value.version ? given.stored : base)}
              >
                Discard changes
              </Button>
              <Button variant="primary" loading={running} disabled={!changed || change === undefined}>
                Save
              </Button>
            </SpaceBetween>
          )
        }
      >
        <SpaceBetween size="m">
          {theirs !== undefined && (
            <StaleChoice
              draft={draft}
              theirs={theirs.value}
              onTakeTheirs={() => {
                take(theirs);
                onChanged();
              }}
              onKeepMine={() => {
                setBase(theirs);
                setTheirs(undefined);
                save(theirs);
              }}
            />
          )}
          <ProblemAlert problem={problem} what="saving the settings" onRetry={() => save(base)} />
          <Container
            header={
              <Header
                variant="h2"
                description={
                  <>
                    Last changed <When at={base.value.updatedAt} />. A change holds for every admission at most 5
                    seconds later.
                  </>
                }
              >
                Settings
              </Header>
            }
          >
            <SpaceBetween size="l">
              <FormField
                label="Max sessions per username"
                constraintText={maxSessionsRule}
                errorText={parseMaxSessions(draft.max) === undefined && maxSessionsRule}
              >
                <Input
                  value={draft.max}
                  inputMode="numeric"
                  readOnly={readOnly}
                  onChange={({ detail }) => setDraft({ ...draft, max: detail.value })}
                />
              </FormField>
              <WhitelistEditor
                whitelist={draft.whitelist}
                pending={draft.pending}
                readOnly={readOnly}
                onChange={(whitelist) => setDraft((before) => ({ ...before, whitelist }))}
                onPending={(pending) => setDraft((before) => ({ ...before, pending }))}
              />
              {readOnly && <Box color="text-body-secondary">You have no permission to change these settings.</Box>}
            </SpaceBetween>
          </Container>
        </SpaceBetween>
      </Form>
    </form>
  );
}
