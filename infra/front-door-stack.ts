// The front door in a stack of its own, as an installation of this repository deploys it.

import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { HeadcountFrontDoor, type HeadcountFrontDoorProps } from './headcount-front-door.ts';

export interface FrontDoorStackProps extends StackProps, HeadcountFrontDoorProps {}

export class FrontDoorStack extends Stack {
  constructor(scope: Construct, id: string, props: FrontDoorStackProps) {
    super(scope, id, props);
    new HeadcountFrontDoor(this, 'Default', props);
  }
}
