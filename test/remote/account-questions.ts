// Questions that only AWS credentials answer: they look at what was deployed, and change nothing.

import type { AwsView } from './aws-view.ts';
import type { Question } from './question.ts';
import type { Trial } from './target.ts';

const stacks = ['HeadcountState', 'Headcount', 'HeadcountWeb', 'HeadcountConsole', 'HeadcountFrontDoor'];

const mayLook = ({ target }: Trial): boolean => target.aws !== undefined;

function viewOf({ target }: Trial): AwsView {
  if (target.aws === undefined) throw new Error('nobody may look at the account');
  return target.aws;
}

async function idsOf(view: AwsView, type: string): Promise<readonly string[]> {
  const found = await Promise.all(stacks.map((stack) => view.resourcesOf(stack)));
  return found.flat().flatMap((resource) => (resource.type === type ? [resource.physicalId] : []));
}

export const accountQuestions: readonly Question[] = [
  {
    id: 'endpoint-arn',
    question: 'may the roles that ask for the name of the endpoint ask for it under both forms of its ARN?',
    canAsk: mayLook,
    async ask(trial) {
      const view = viewOf(trial);
      const [name] = await idsOf(view, 'AWS::IoT::DomainConfiguration');
      if (name === undefined) return { 'domain configuration': 'not deployed' };
      // arn:aws:iot:<region>:<account>:domainconfiguration/<name>/<id>; the other form ends with the name.
      const long = await view.domainConfigurationArn(name);
      const short = `${long.slice(0, long.indexOf(`/${name}`))}/${name}`;
      const account = long.split(':')[4] ?? '';
      const answers: Record<string, unknown> = {
        'ARN that AWS tells': long.slice(long.indexOf('domainconfiguration')),
      };
      for (const role of await idsOf(view, 'AWS::IAM::Role')) {
        const roleArn = `arn:aws:iam::${account}:role/${role}`;
        const ask = (arn: string) => view.simulate(roleArn, 'iot:DescribeDomainConfiguration', arn);
        const [withName, withId] = [await ask(short), await ask(long)];
        if (withName === 'allowed' || withId === 'allowed')
          answers[role] = `…/<name>: ${withName}, …/<name>/<id>: ${withId}`;
      }
      return answers;
    },
  },
  {
    id: 'release',
    question: 'does a release keep the number of tasks, and how many may it start at a time?',
    canAsk: mayLook,
    async ask(trial) {
      const view = viewOf(trial);
      const [cluster] = await idsOf(view, 'AWS::ECS::Cluster');
      const [service] = await idsOf(view, 'AWS::ECS::Service');
      if (cluster === undefined || service === undefined) return { 'front door': 'not deployed' };
      const { desiredCount, maximumPercent } = await view.service(cluster, service);
      const before = trial.target.tasksBefore;
      // [AWS: rounded down to a whole number of tasks]
      const atATime = Math.floor((desiredCount * maximumPercent) / 100) - desiredCount;
      return {
        'tasks wanted': desiredCount,
        ...(before === undefined
          ? {}
          : { 'kept by the release': desiredCount === before ? 'yes' : `no, ${before} before` }),
        'tasks that a release may start at a time':
          atATime > 0 ? `${atATime} of ${desiredCount}` : 'none: it cannot go on',
      };
    },
  },
];
