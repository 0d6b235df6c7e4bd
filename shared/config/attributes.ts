// Attributes that a read asks for where it might meet items with password digests. The stack grants these reads with
// these attributes and no others, so that no function sees a digest that it does not need (infra/table-access.ts).

/** What the reconciler reads of the table: a session whole. Names that no digest has, but for the keys. */
export const sessionAttributes = [
  'pk',
  'sk',
  'rev',
  'place',
  'attempt',
  'witness',
  'holding',
  'countsUntil',
  'due',
  'wakeAt',
  'fallback',
  'ended',
  'confirmed',
  'over',
  'folded',
  'endHeard',
  'pair',
  'closed',
  'overlap',
  'underway',
  'exp',
  'attemptExp',
  'told',
  'recounted',
  'uncounted',
  'owes',
  'signed',
  'admittedAt',
  'connectedAt',
  'unsure',
  'disconnectedAt',
  'proto',
  'ip',
] as const;

/** What finds the items of a deployment: their keys, and which deployment a server name belongs to. */
export const removalAttributes = ['pk', 'sk', 'deploymentId'] as const;

/** What is shown of an MQTT user. */
export const mqttUserAttributes = ['pk', 'sk', 'createdAt'] as const;

/** Whether an item is there. */
export const keyAttributes = ['pk', 'sk'] as const;
