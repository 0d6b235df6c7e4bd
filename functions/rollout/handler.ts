// Custom resource of the front door's stack: ECS's `maximumPercent` for the release that begins.

import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { answerCustomResource } from '../../shared/adapters/aws/custom-resource.ts';
import { readDesiredCount } from '../../shared/adapters/aws/ecs-service.ts';
import { createJsonLog } from '../../shared/adapters/node/json-log.ts';
import { environmentVariables as names } from '../../shared/config/env.ts';
import { rolloutWorkSeconds } from '../../shared/config/front-door.ts';
import { readVariable } from '../environment.ts';
import { decideRollout } from './decide.ts';

const log = createJsonLog();
const region = readVariable(names.region);
const ports = {
  desiredCount: (cluster: string) => readDesiredCount({ cluster, region }),
  retryMs: 5_000,
  tries: 8,
};

export const handler = (event: CloudFormationCustomResourceEvent): Promise<void> =>
  answerCustomResource(event, (request) => decideRollout(ports, request), { log, workMs: rolloutWorkSeconds * 1_000 });
