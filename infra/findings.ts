import { Token } from 'aws-cdk-lib';

/** As cdk-nag writes a value of the environment into the id of a finding: an account that is not known yet by its name. */
export const shown = (value: string, name: string): string => (Token.isUnresolved(value) ? `<AWS::${name}>` : value);
