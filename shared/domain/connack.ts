// What a client is told. One table for both protocol families (S5 to S9, S17).

export type RejectReason =
  | 'bad_credentials'
  | 'suspended'
  | 'blocked'
  | 'client_id'
  | 'client_id_held'
  | 'quota_exceeded'
  | 'unavailable';

export interface Connack {
  /** MQTT 5 reason code. */
  readonly v5: number;
  /** MQTT 3.1 and 3.1.1 return code. */
  readonly v3: number;
  /** MQTT 5 reason string. Names no tenant, no quota figure and no other username. */
  readonly reasonString: string;
}

const connacks: Readonly<Record<RejectReason, Connack>> = {
  bad_credentials: { v5: 0x86, v3: 0x04, reasonString: 'Bad user name or password' },
  suspended: { v5: 0x87, v3: 0x05, reasonString: 'Not authorized' },
  blocked: { v5: 0x87, v3: 0x05, reasonString: 'Not authorized' },
  client_id: { v5: 0x85, v3: 0x02, reasonString: 'Client identifier not valid' },
  client_id_held: { v5: 0x85, v3: 0x02, reasonString: 'Client identifier not valid' },
  quota_exceeded: { v5: 0x97, v3: 0x03, reasonString: 'Session quota of this user name exceeded' },
  unavailable: { v5: 0x88, v3: 0x03, reasonString: 'Server unavailable, try again' },
};

export function connackFor(reason: RejectReason): Connack {
  return connacks[reason];
}
