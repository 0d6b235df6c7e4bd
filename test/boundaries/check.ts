// Walks a tree of sources and lists every breach of the zones.

import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, posix } from 'node:path';
import { type Import, readSource } from './source.ts';
import { isUnder, type Zone, zoneOf } from './zones.ts';

export interface Report {
  readonly files: readonly string[];
  readonly importCount: number;
  /** One line each, as `shared/domain/x.ts imports node:fs`. */
  readonly breaches: readonly string[];
}

const skipped = new Set(['node_modules', 'cdk.out', 'coverage', 'dist']);
const isSource = /\.[cm]?[jt]sx?$/;

export function listSources(root: string, folder = ''): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (entry.isDirectory())
      return entry.name.startsWith('.') || skipped.has(entry.name) ? [] : listSources(root, path);
    return isSource.test(entry.name) ? [path] : [];
  });
}

/** The name that a package is installed by: `@aws-sdk/client-sqs/x` is `@aws-sdk/client-sqs`. */
function packageOf(specifier: string): string {
  if (isBuiltin(specifier)) return specifier.startsWith('node:') ? specifier : `node:${specifier}`;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function mayImport(zone: Zone, file: string, { specifier, typesOnly }: Import): boolean {
  // Where a name is computed nobody can say what comes in; the edges may, the core may not.
  if (specifier === undefined) return !zone.pure;
  const types = typesOnly ? (zone.types ?? []) : [];
  if (!specifier.startsWith('.')) {
    const name = packageOf(specifier);
    return zone.packages === 'any' || zone.packages.includes(name) || types.includes(name);
  }
  const target = posix.join(posix.dirname(file), specifier);
  return [zone.path, ...zone.imports, ...types].some((path) => isUnder(target, path));
}

export function checkBoundaries(root: string): Report {
  const files = listSources(root).sort();
  const breaches: string[] = [];
  let importCount = 0;
  for (const file of files) {
    const zone = zoneOf(file);
    if (zone === undefined) {
      breaches.push(`${file} is in no zone`);
      continue;
    }
    const source = readSource(file, readFileSync(join(root, file), 'utf8'));
    importCount += source.imports.length;
    for (const found of source.imports)
      if (!mayImport(zone, file, found)) breaches.push(`${file} imports ${found.specifier ?? 'a computed name'}`);
    if (zone.pure) for (const impurity of source.impurities) breaches.push(`${file} uses ${impurity}`);
  }
  return { files, importCount, breaches };
}
