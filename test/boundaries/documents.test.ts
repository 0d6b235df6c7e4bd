// Documents that lead nowhere are worse than none: links of the pages in the repository's own documents resolve, to the
// heading too, and files that the main pages name are there.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const pagesIn = (folder: string): readonly string[] =>
  readdirSync(join(root, folder)).flatMap((name) => (name.endsWith('.md') ? [join(folder, name)] : []));
const pages = [...pagesIn('.'), ...pagesIn('docs'), ...pagesIn('docs/adr')];
/** Pages that say where things are today; the others tell what was so once. */
const ofToday = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md'];

/** As GitHub makes it of a heading. */
function anchorOf(heading: string): string {
  const text = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1');
  return text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
}

const withoutCode = (text: string): string => text.replaceAll(/^```[\s\S]*?^```/gm, '');

function brokenLinks(page: string, text: string): readonly string[] {
  return [...withoutCode(text).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : join(dirname(page), path);
    if (!existsSync(join(root, target))) return [`${page}: there is no ${target}`];
    if (anchor === undefined) return [];
    const linked = target === page ? text : readFileSync(join(root, target), 'utf8');
    const anchors = [...withoutCode(linked).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));
    return anchors.includes(anchor) ? [] : [`${page}: ${target} has no heading #${anchor}`];
  });
}

/** Names in backticks that begin with a folder of this repository. */
function missingFiles(text: string): readonly string[] {
  const folders = readdirSync(root).filter((name) => statSync(join(root, name)).isDirectory());
  return [...withoutCode(text).matchAll(/`([\w.-]+(?:\/[\w.-]+)+)`/g)]
    .map(([, path = '']) => path)
    .filter((path) => folders.includes(path.split('/')[0] ?? '') && !existsSync(join(root, path)));
}

test.each(pages)('links of %s resolve', (page) => {
  expect(brokenLinks(page, readFileSync(join(root, page), 'utf8'))).toEqual([]);
});

test.each(ofToday)('files that %s names are there', (page) => {
  expect(missingFiles(readFileSync(join(root, page), 'utf8'))).toEqual([]);
});

describe('a planted fault is found', () => {
  test.each([
    ['a page that is not there', '[a](docs/nothing.md)'],
    ['a heading that is not there', '[a](README.md#nothing)'],
    ['a heading of the page itself', '# One\n[a](#two)'],
  ])('%s', (_, text) => {
    expect(brokenLinks('README.md', text)).toHaveLength(1);
  });

  test('a file that has moved', () => {
    expect(missingFiles('`shared/app/admit.ts`, `shared/app/admission/admit.ts`, `a/b`')).toEqual([
      'shared/app/admit.ts',
    ]);
  });

  test('and none where there is none', () => {
    expect(brokenLinks('README.md', '# A `b`, and [c](d)!\n[a](#a-b-and-c) [x](https://x.y)')).toEqual([
      'README.md: there is no d',
    ]);
  });
});
