// Text that becomes part of a page. Everything is escaped unless it was made here.

export interface Html {
  readonly html: string;
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeText(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => escapes[character] ?? character);
}

type Part = string | number | Html | readonly Html[] | undefined;

function render(part: Part): string {
  if (part === undefined) return '';
  if (typeof part === 'object') return 'html' in part ? part.html : part.map((each) => each.html).join('');
  return escapeText(String(part));
}

export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { html: strings.map((text, place) => text + render(parts[place])).join('') };
}

/** Text with `code` in backticks, as descriptions have it. */
export function prose(text: string): Html {
  const parts = text.split('`');
  return { html: parts.map((part, n) => (n % 2 === 1 ? html`<code>${part}</code>`.html : escapeText(part))).join('') };
}
