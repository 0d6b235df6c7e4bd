// Which recorded choices an update would drop without a word. Pure.

/** By name, as the state stack records them: each machine client under a name of its own, `machineClients.acme-ci`. */
export type RecordedChoices = Readonly<Record<string, unknown>>;

const maxValueLength = 60;

/** Names that are recorded, and neither chosen now nor dropped on purpose. `machineClients` drops all of that kind. */
export function findMissing(
  recorded: RecordedChoices,
  chosen: RecordedChoices,
  dropped: readonly string[],
): readonly string[] {
  return Object.keys(recorded).filter((name) => {
    const [kind = name] = name.split('.');
    return !Object.hasOwn(chosen, name) && !dropped.includes(name) && !dropped.includes(kind);
  });
}

/** Undefined where nothing is missing. Names come last: an answer of bounded length may lose the end of a long list. */
export function explainMissing(recorded: RecordedChoices, missing: readonly string[]): string | undefined {
  const [first] = missing;
  if (first === undefined) return undefined;
  const list = missing.map((name) => `${name} (was ${shorten(JSON.stringify(recorded[name]))})`).join(', ');
  return (
    `This deployment would drop what was chosen before, so it changes nothing. Put each choice back into the choices ` +
    `file (headcount.json, or the file that HEADCOUNT_CHOICES names), or drop it on purpose with null, as ` +
    `${dropping(first)}. Missing: ${list}.`
  );
}

function dropping(name: string): string {
  const [kind = name, member] = name.split('.');
  return JSON.stringify({ [kind]: member === undefined ? null : { [member]: null } });
}

function shorten(text: string): string {
  return text.length <= maxValueLength ? text : `${text.slice(0, maxValueLength - 1)}…`;
}
