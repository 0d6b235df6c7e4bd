// Light or dark: as the system says, unless the person says otherwise.

import { applyMode, Mode } from '@cloudscape-design/global-styles';

export type Appearance = 'system' | 'light' | 'dark';

const key = 'headcount.appearance';
const systemIsDark = window.matchMedia('(prefers-color-scheme: dark)');

export function currentAppearance(): Appearance {
  const stored = localStorage.getItem(key);
  return stored === 'light' || stored === 'dark' ? stored : 'system';
}

function apply(): void {
  const appearance = currentAppearance();
  const dark = appearance === 'dark' || (appearance === 'system' && systemIsDark.matches);
  applyMode(dark ? Mode.Dark : Mode.Light);
}

export function chooseAppearance(appearance: Appearance): void {
  if (appearance === 'system') localStorage.removeItem(key);
  else localStorage.setItem(key, appearance);
  apply();
}

/** To be called once, before anything is shown. */
export function startAppearance(): void {
  systemIsDark.addEventListener('change', apply);
  apply();
}
