// The address bar as a store. Links are real ones: they open in new tabs, and a screen reader calls them links.

import { useSyncExternalStore } from 'react';
import { addressOf, type Place } from './places.ts';
import { samePage } from './same-page.ts';

const listeners = new Set<() => void>();

function announce(): void {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) window.addEventListener('popstate', announce);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) window.removeEventListener('popstate', announce);
  };
}

export function usePathname(): string {
  return useSyncExternalStore(subscribe, () => location.pathname);
}

export function useQuery(): URLSearchParams {
  return new URLSearchParams(useSyncExternalStore(subscribe, () => location.search));
}

export function goTo(address: string): void {
  history.pushState(null, '', address);
  announce();
}

/** For filters: they belong to the address, but not each to a step back. */
export function replaceQuery(query: Readonly<Record<string, string | undefined>>): void {
  const given = Object.entries(query).filter((entry): entry is [string, string] => (entry[1] ?? '') !== '');
  const search = given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
  history.replaceState(null, '', samePage(`${location.pathname}${search}`));
  announce();
}

interface FollowEvent {
  preventDefault(): void;
  readonly detail: { readonly href?: string | undefined; readonly external?: boolean | undefined };
}

/** `onFollow` of Cloudscape's links; what is pressed with Ctrl or Shift never comes here. */
export function follow(event: FollowEvent): void {
  const { href, external } = event.detail;
  if (href === undefined || external === true || !href.startsWith('/') || href.startsWith('/docs')) return;
  event.preventDefault();
  goTo(href);
}

export function goToPlace(place: Place): void {
  goTo(addressOf(place));
}
