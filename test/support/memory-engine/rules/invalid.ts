import { DynamoDBServiceException } from '@aws-sdk/client-dynamodb';

/** As DynamoDB refuses a request that it never carries out, whatever the table holds. */
export function invalid(problem: string): never {
  throw new DynamoDBServiceException({
    name: 'ValidationException',
    $fault: 'client',
    $metadata: { httpStatusCode: 400 },
    message: problem,
  });
}

export function isInvalid(error: unknown): boolean {
  return error instanceof DynamoDBServiceException && error.name === 'ValidationException';
}

export function require(holds: boolean, problem: string): asserts holds {
  if (!holds) invalid(problem);
}
