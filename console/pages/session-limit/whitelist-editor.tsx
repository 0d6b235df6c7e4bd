// A whitelist of up to 10,000 usernames: typed or pasted line by line, found and taken out one by one.

import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Pagination from '@cloudscape-design/components/pagination';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { nameInText, shownName } from '../../parts/shown-name.ts';

const perPage = 10;

/** One username a line, as it stands: a space can be part of a name. */
function namesIn(text: string): readonly string[] {
  return text.split(/\r?\n/).filter((line) => line !== '');
}

export function withNames(whitelist: readonly string[], text: string): readonly string[] {
  return [...new Set([...whitelist, ...namesIn(text)])].sort();
}

export function WhitelistEditor(given: {
  readonly whitelist: readonly string[];
  /** Typed and not added yet; it is saved all the same. */
  readonly pending: string;
  readonly readOnly: boolean;
  onChange(whitelist: readonly string[]): void;
  onPending(text: string): void;
}) {
  const { whitelist, pending, readOnly, onChange, onPending } = given;
  const [search, setSearch] = useState('');
  const [wanted, setWanted] = useState(1);
  const found = search === '' ? whitelist : whitelist.filter((name) => name.includes(search));
  const pageCount = Math.max(1, Math.ceil(found.length / perPage));
  const page = Math.min(wanted, pageCount);
  return (
    <SpaceBetween size="s">
      {!readOnly && (
        <FormField
          label="Add to the whitelist"
          description="Usernames that are not subject to the limit; they are counted all the same. One a line."
          secondaryControl={
            <Button
              formAction="none"
              disabled={namesIn(pending).length === 0}
              onClick={() => {
                onChange(withNames(whitelist, pending));
                onPending('');
              }}
            >
              Add
            </Button>
          }
        >
          <Textarea value={pending} rows={2} spellcheck={false} onChange={({ detail }) => onPending(detail.value)} />
        </FormField>
      )}
      {whitelist.length > perPage && (
        <Input
          type="search"
          value={search}
          placeholder="Find in the whitelist"
          ariaLabel="Find in the whitelist"
          clearAriaLabel="Clear"
          onChange={({ detail }) => setSearch(detail.value)}
        />
      )}
      <Table
        variant="embedded"
        items={found.slice((page - 1) * perPage, page * perPage)}
        trackBy={(name) => name}
        ariaLabels={{ tableLabel: 'Whitelist' }}
        columnDefinitions={[
          {
            id: 'username',
            header: `Whitelisted usernames (${whitelist.length.toLocaleString()})`,
            cell: (name) => <span className="name">{shownName(name)}</span>,
          },
          ...(readOnly
            ? []
            : [
                {
                  id: 'remove',
                  header: 'Remove',
                  width: 110,
                  cell: (name: string) => (
                    <Button
                      formAction="none"
                      variant="inline-icon"
                      iconName="remove"
                      ariaLabel={`Remove ${nameInText(name)} from the whitelist`}
                      onClick={() => onChange(whitelist.filter((one) => one !== name))}
                    />
                  ),
                },
              ]),
        ]}
        empty={<Box color="inherit">{search === '' ? 'Nobody is whitelisted.' : 'Nobody of that name.'}</Box>}
        {...(pageCount > 1
          ? {
              pagination: (
                <Pagination
                  currentPageIndex={page}
                  pagesCount={pageCount}
                  onChange={({ detail }) => setWanted(detail.currentPageIndex)}
                  ariaLabels={{
                    paginationLabel: 'Pages of the whitelist',
                    nextPageLabel: 'Next page',
                    previousPageLabel: 'Previous page',
                    pageLabel: (index) => `Page ${index}`,
                  }}
                />
              ),
            }
          : {})}
      />
    </SpaceBetween>
  );
}
