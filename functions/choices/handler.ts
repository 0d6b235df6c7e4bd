// Runs when the state stack is deployed. It refuses an update that would drop a recorded choice without a word: the
// template of the last deployment is the record, and CloudFormation sends what it held together with the new one.

import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { answerCustomResource, CustomResourceRefusal } from '../../shared/adapters/aws/custom-resource.ts';
import { isRollingBack } from '../../shared/adapters/aws/stack-status.ts';
import { realPause } from '../../shared/adapters/node/clock.ts';
import { createJsonLog } from '../../shared/adapters/node/json-log.ts';
import type { Pause } from '../../shared/ports/common/clock.ts';
import type { Log } from '../../shared/ports/common/log.ts';
import { explainMissing, findMissing, type RecordedChoices } from './compare.ts';

/** Properties that infra/recorded-choices.ts sets, each a JSON text: CloudFormation turns a number into text. */
type Properties = Readonly<Record<string, unknown>>;

const choicesOf = ({ Choices }: Properties): RecordedChoices => JSON.parse(String(Choices));
const droppedBy = ({ Dropped }: Properties): readonly string[] => JSON.parse(String(Dropped));

const log = createJsonLog();

export async function handler(event: CloudFormationCustomResourceEvent): Promise<void> {
  await answerChoices(event, realPause, log);
}

export async function answerChoices(event: CloudFormationCustomResourceEvent, pause: Pause, log: Log): Promise<void> {
  await answerCustomResource(
    event,
    async ({ requestType, properties, oldProperties }) => {
      // There is no record yet.
      if (requestType === 'Create') return {};
      const recorded = choicesOf(oldProperties);
      const missing = findMissing(recorded, choicesOf(properties), droppedBy(properties));
      const refusal = explainMissing(recorded, missing);
      // A rollback takes back what the failed deployment added. A refusal there would leave the stack stuck.
      if (refusal !== undefined && !(await goesBack(event.StackId, pause, log)))
        throw new CustomResourceRefusal(refusal);
      return {};
    },
    { log },
  );
}

/** Where CloudFormation does not say, the choices are kept. A rollback that fails for it can be continued. */
async function goesBack(stackId: string, pause: Pause, log: Log): Promise<boolean> {
  try {
    return await isRollingBack(stackId, pause);
  } catch (error) {
    log.error('the state of the stack is unknown', { error: String(error) });
    return false;
  }
}
