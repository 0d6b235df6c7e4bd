// How much of its limit a username uses, as a bar and in figures.

import type { Usage } from '../client/types.ts';

const figure = new Intl.NumberFormat();

function limitText(limit: Usage['limit'], whitelisted: boolean): string {
  if (limit === null) return 'no limit';
  if (limit === 'blocked') return 'blocked';
  if (limit === 'unlimited') return whitelisted ? 'whitelisted' : 'unlimited';
  return figure.format(limit);
}

export function UsageBar({ usage }: { readonly usage: Pick<Usage, 'used' | 'limit' | 'whitelisted' | 'overLimit'> }) {
  const { used, limit, whitelisted, overLimit } = usage;
  const text = `${figure.format(used)} / ${limitText(limit, whitelisted)}`;
  const share = typeof limit === 'number' ? Math.min(1, used / limit) : 0;
  const level = overLimit ? 'over' : share >= 1 ? 'full' : share >= 0.8 ? 'near' : 'free';
  return (
    <div className="usage">
      <span className="usage-figures">{text}</span>
      {typeof limit === 'number' && (
        <span className={`usage-track usage-${level}`} aria-hidden="true">
          <span className="usage-fill" style={{ inlineSize: `${Math.max(share * 100, used > 0 ? 2 : 0)}%` }} />
        </span>
      )}
      {overLimit && <span className="usage-note">over the limit</span>}
      {!overLimit && level === 'full' && <span className="usage-note">full</span>}
    </div>
  );
}
