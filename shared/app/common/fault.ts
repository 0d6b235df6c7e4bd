// Untrusted input, read as a whole: every fault of it is named at once.

export interface Fault {
  /** The field, as `whitelist.3`; empty for the input itself. */
  readonly name: string;
  readonly problem: string;
}

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly faults: readonly Fault[] };

export type Check<T> = (raw: unknown, name: string) => Checked<T>;

export const fine = <T>(value: T): Checked<T> => ({ ok: true, value });
export const faulty = (name: string, problem: string): Checked<never> => ({ ok: false, faults: [{ name, problem }] });

/** An object of these fields and no others, each of which may be absent. */
export function checkFields<T extends object>(
  raw: unknown,
  checks: { readonly [K in keyof T]: Check<T[K]> },
): Checked<Partial<T>> {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return faulty('', 'must be a JSON object');
  const faults: Fault[] = [];
  const value: Partial<T> = {};
  const isField = (name: string): name is Extract<keyof T, string> => Object.hasOwn(checks, name);
  for (const [name, given] of Object.entries(raw)) {
    if (!isField(name)) {
      faults.push({ name, problem: 'is not a field of this request' });
      continue;
    }
    const checked = checks[name](given, name);
    if (checked.ok) value[name] = checked.value;
    else faults.push(...checked.faults);
  }
  return faults.length === 0 ? fine(value) : { ok: false, faults };
}
