// The one list of the paths whose units are told and held against the budgets.

import { connectPaths } from './connect-paths.ts';
import { endPaths } from './end-paths.ts';
import type { Path } from './path.ts';
import { rejectPaths } from './reject-paths.ts';
import { usagePaths } from './usage-paths.ts';

export const paths: readonly Path[] = [...connectPaths, ...rejectPaths, ...endPaths, ...usagePaths];
