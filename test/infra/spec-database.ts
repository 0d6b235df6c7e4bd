// AWS's own record of every resource type of CloudFormation, as CDK is generated from it. To load it takes a second and
// 100 MB, so a process loads it once.

import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec';
import type { DefinitionReference, Resource, ResourceProperties, SpecDatabase } from '@aws-cdk/service-spec-types';

let loaded: SpecDatabase | undefined;

function database(): SpecDatabase {
  loaded ??= loadAwsServiceSpecSync();
  return loaded;
}

export function findResourceType(cloudFormationType: string): Resource | undefined {
  const [found] = database().lookup('resource', 'cloudFormationType', 'equals', cloudFormationType);
  return found;
}

export function propertiesOfDefinition({ reference }: DefinitionReference): ResourceProperties {
  return database().get('typeDefinition', reference).properties;
}

/** Properties that AWS changes only by making another resource in the place of the one that is there. */
export function createOnlyProperties(cloudFormationType: string): readonly string[] {
  const properties = findResourceType(cloudFormationType)?.properties ?? {};
  return Object.entries(properties)
    .filter(([, { causesReplacement }]) => causesReplacement === 'yes' || causesReplacement === 'maybe')
    .map(([name]) => name)
    .sort();
}

export const holdsState = (cloudFormationType: string): boolean =>
  findResourceType(cloudFormationType)?.isStateful === true;
