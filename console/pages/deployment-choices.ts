// The settings of a deployment that are one of two values: what each is called, and which value a ticked box means.

import type { Deployment } from '../client/types.ts';

export const deploymentChoices = [
  choice('clientIdTakeover', {
    label: 'A client id held by another username',
    off: { value: 'deny', shown: 'is refused' },
    on: { value: 'allow', shown: 'may be taken over' },
    box: 'A client id may be taken over by another username',
    hint: 'Otherwise a client id that another username holds live is refused.',
  }),
  choice('onStoreFailure', {
    label: 'When the database does not answer',
    off: { value: 'reject', shown: 'every CONNECT is rejected as unavailable' },
    on: { value: 'admit', shown: 'known clients are admitted and counted later' },
    box: 'Admit known clients when the database does not answer',
    hint: 'Only clients whose credentials can be checked without it; they are counted as soon as it answers.',
  }),
];

interface Words<T> {
  readonly label: string;
  readonly off: { readonly value: T; readonly shown: string };
  readonly on: { readonly value: T; readonly shown: string };
  readonly box: string;
  readonly hint: string;
}

function choice<Name extends keyof Deployment>(name: Name, words: Words<Deployment[Name]>) {
  return { name, ...words };
}
