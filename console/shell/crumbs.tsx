// Where one is, and the way back up.

import { goTo } from './location.ts';
import { addressOf, isInside, type Place } from './places.ts';
import { titleOf } from './titles.ts';

interface Crumb {
  readonly text: string;
  readonly address: string;
}

function crumbsOf(place: Place): readonly Crumb[] {
  const root: Crumb = { text: 'Deployments', address: addressOf({ page: 'deployments' }) };
  if (!isInside(place))
    return place.page === 'operations' || place.page === 'tenant-audit'
      ? [root, { text: titleOf(place), address: addressOf(place) }]
      : [root];
  const { deploymentId, page } = place;
  const crumbs = [root, { text: deploymentId, address: addressOf({ page: 'overview', deploymentId }) }];
  if (page === 'clients' || page === 'rejections')
    crumbs.push({ text: 'Monitor', address: addressOf({ page: 'clients', deploymentId }) });
  return page === 'overview' ? crumbs : [...crumbs, { text: titleOf(place), address: addressOf(place) }];
}

export function Crumbs({ place }: { readonly place: Place }) {
  const crumbs = crumbsOf(place);
  return (
    <nav aria-label="Where you are">
      <ol className="crumbs">
        {crumbs.map(({ text, address }, index) => (
          <li key={text}>
            {index === crumbs.length - 1 ? (
              <span aria-current="page">{text}</span>
            ) : (
              <a
                href={address}
                onClick={(event) => {
                  // With one of these the browser opens it elsewhere.
                  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
                  event.preventDefault();
                  goTo(address);
                }}
              >
                {text}
              </a>
            )}
          </li>
        ))}
      </ol>
    </nav>
  );
}
