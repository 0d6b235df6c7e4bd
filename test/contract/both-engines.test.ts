// Whether the suites of this folder run on DynamoDB Local as well is decided in vitest.config.ts. Where they do not,
// this says why; and where they could, they must.

import { expect, test } from 'vitest';
import config from '../../vitest.config.ts';
import { findDynamoDbLocal } from '../support/dynamodb-local.ts';

const found = findDynamoDbLocal(process.env);
const projects = config.test?.projects?.map((project) =>
  typeof project === 'object' && 'test' in project ? project.test?.name : project,
);

test('the contract suites run on DynamoDB Local too', (context) => {
  if ('missing' in found) {
    expect(projects).toEqual(['own process', 'shared process']);
    context.skip(found.missing);
  }
  expect(projects).toEqual(['own process', 'shared process', 'dynamodb-local']);
});

test('a folder that is named and holds no engine is no reason to skip', () => {
  // Java first: without it nobody looks at the folder.
  if ('missing' in found && found.missing.includes('java')) return;
  expect(() => findDynamoDbLocal({ ...process.env, DYNAMODB_LOCAL: '/nowhere' })).toThrow('/nowhere');
});
