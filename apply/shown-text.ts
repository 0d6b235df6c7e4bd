// Text of a file or an answer, as a message shows it: in one line, of a length that can be read.

const nameMax = 100;
const messageMax = 1_000;
const listMax = 10;

function cut(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max)}…`;
}

/** What would move the cursor of a terminal, or end the line, is written out. */
export function oneLine(message: string): string {
  return cut(message.replace(/[\t\n\r]+ */g, ' '), messageMax).replace(
    /\p{Cc}/gu,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

export function shortened(text: string): string {
  return cut(text, nameMax);
}

export function quoted(text: string): string {
  return JSON.stringify(shortened(text));
}

export function listed(texts: readonly string[], separator: string): string {
  const more = texts.length - listMax;
  return [...texts.slice(0, listMax), ...(more > 0 ? [`and ${more} more`] : [])].join(separator);
}
