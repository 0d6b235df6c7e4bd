// Reads JSON that a person wrote. JSON.parse names no line, and keeps the last of two equal names without a word.

/** A mistake in the text. The message names it and its line, without the text's origin. */
export class JsonMistake extends Error {}

const space = /[ \t\r\n]*/y;
const scalar =
  /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[Ee][+-]?\d+)?|true|false|null/uy;

/** Throws a JsonMistake where the text is not JSON, or an object has the same name twice. */
export function readJson(text: string): unknown {
  let at = 0;

  function fail(what: string, where = at): never {
    throw new JsonMistake(`line ${text.slice(0, where).split('\n').length}: ${what}`);
  }
  function skipSpace(): void {
    space.lastIndex = at;
    at += space.exec(text)?.[0].length ?? 0;
  }
  function found(): string {
    const [word = ''] = /^(?:"[^"\n]{0,20}"?|.[\w.-]{0,20})/u.exec(text.slice(at)) ?? [];
    if (word === '') return 'the end of the file';
    return word.startsWith('"') ? word : JSON.stringify(word);
  }
  function take(sign: string): boolean {
    skipSpace();
    if (text[at] !== sign) return false;
    at += 1;
    return true;
  }
  function readScalar(allowed: string): unknown {
    skipSpace();
    scalar.lastIndex = at;
    const [token] = scalar.exec(text) ?? fail(`found ${found()}; allowed is ${allowed}`);
    at += token.length;
    return JSON.parse(token);
  }
  function readName(): string {
    skipSpace();
    if (text[at] !== '"') fail(`found ${found()}; allowed is a name in double quotes`);
    return String(readScalar('a name in double quotes'));
  }
  function readEntries(end: string, readEntry: () => void): void {
    if (take(end)) return;
    do readEntry();
    while (take(','));
    if (!take(end)) fail(`found ${found()}; allowed is "," or "${end}"`);
  }
  function readObject(): Readonly<Record<string, unknown>> {
    const entries = new Map<string, unknown>();
    readEntries('}', () => {
      const name = readName();
      const nameEnd = at;
      if (entries.has(name)) fail(`${JSON.stringify(name)} is given twice; allowed is once`, nameEnd);
      if (!take(':')) fail(`found ${found()}; allowed is ":" after ${JSON.stringify(name)}`);
      entries.set(name, readValue());
    });
    return Object.fromEntries(entries);
  }
  function readList(): readonly unknown[] {
    const values: unknown[] = [];
    readEntries(']', () => values.push(readValue()));
    return values;
  }
  function readValue(): unknown {
    if (take('{')) return readObject();
    if (take('[')) return readList();
    return readScalar('a text in double quotes, a number, true, false, null, an object or a list');
  }

  const value = readValue();
  skipSpace();
  if (at < text.length) fail(`found ${found()} behind the end`);
  return value;
}
