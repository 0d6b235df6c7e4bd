// What a caller may send for a setting, by the setting's declaration, and what a caller that sends something else is told.

import type { Setting, Settings, Values } from '../../domain/settings.ts';
import { type Check, faulty, fine } from '../common/fault.ts';

type Checks<T> = { readonly [Name in keyof T]: Check<T[Name]> };

/** A check for each setting of a table. */
export function checksOf<S extends Settings>(settings: S): Checks<Values<S>> {
  const checks = Object.entries(settings).map(([name, setting]) => [name, checkSetting(setting)]);
  return Object.fromEntries(checks) as Checks<Values<S>>;
}

function checkSetting(setting: Setting): Check<unknown> {
  const rule = ruleOf(setting);
  return (raw, name) => (isAllowed(setting, raw) ? fine(raw) : faulty(name, rule));
}

function isAllowed(setting: Setting, raw: unknown): boolean {
  switch (setting.kind) {
    case 'flag':
      return typeof raw === 'boolean';
    case 'number':
    case 'seconds':
      return typeof raw === 'number' && Number.isInteger(raw) && raw >= setting.from && raw <= setting.to;
    case 'choice':
      return setting.of.some((one) => one === raw);
  }
}

function ruleOf(setting: Setting): string {
  switch (setting.kind) {
    case 'flag':
      return 'must be true or false';
    case 'number':
    case 'seconds':
      return `must be a whole number from ${setting.from} to ${setting.to}`;
    case 'choice':
      return `must be ${setting.of.join(' or ')}`;
  }
}
