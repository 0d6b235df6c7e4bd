// The commands of a page: lines of its blocks, and pieces of inline code that begin with a program of ours.

export interface Command {
  /** As it stands in the page, on one line. */
  readonly text: string;
  readonly program: string;
  /** Without quotes, and without where its output goes. */
  readonly words: readonly string[];
}

const programs = ['npm', 'npx', 'aws', 'git'];
/** Of blocks with commands; a block in another language is no command. */
const shells = ['', 'sh', 'bash', 'shell'];
const block = /^ *```(\w*)\n([\s\S]*?)^ *```$/gm;

/** Blocks in JSON, and what may stand in such a block, as `"console": false`. */
export function readJsonPieces(page: string): readonly string[] {
  const blocks = [...page.matchAll(block)].flatMap(([, language, text = '']) => (language === 'json' ? [text] : []));
  const inline = inlineCode(page).filter((code) => /^"\w+": \S+$/.test(code));
  return [...blocks, ...inline.map((code) => `{${code}}`)];
}

export function readCommands(page: string): readonly Command[] {
  const lines = [...page.matchAll(block)]
    .flatMap(([, language, text = '']) => (shells.includes(language ?? '') ? [text] : []))
    .flatMap((text) => text.replaceAll(/\\\n/g, ' ').split('\n'));
  const inline = inlineCode(page).filter((code) => programs.includes(code.split(' ')[0] ?? '') && code.includes(' '));
  return [...lines, ...inline]
    .map((line) =>
      line
        .replace(/ # .*$/, '')
        .trim()
        .replaceAll(/\s+/g, ' '),
    )
    .filter((line) => line !== '')
    .flatMap((line) => line.split(' && '))
    .map(parseCommand);
}

const inlineCode = (page: string): readonly string[] =>
  [...page.replaceAll(block, '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code.replaceAll(/\s+/g, ' '));

function parseCommand(text: string): Command {
  const [program = '', ...words] = (text.match(/\$\([^)]*\)|(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? []).map((word) =>
    word.replaceAll(/^(["'])([\s\S]*)\1$/g, '$2'),
  );
  const redirected = words.indexOf('>');
  return { text, program, words: redirected === -1 ? words : words.slice(0, redirected) };
}
