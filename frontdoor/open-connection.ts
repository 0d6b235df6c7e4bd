// One client from its first byte to the broker's CONNACK: what it asks, what it is told, and with whom it is joined.
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { maxConnectionSeconds } from '../shared/config/constants.ts';
import { connackFor } from '../shared/domain/connack.ts';
import type { Connect, ConnectDecision } from '../shared/domain/connect.ts';
import { toBrokerClientId } from '../shared/domain/ids.ts';
import type { Ms } from '../shared/domain/time.ts';
import { joinUserName, splitUserName } from '../shared/domain/user-name.ts';
import type { TicketClaims } from '../shared/ports/credentials/tickets.ts';
import { askBroker, type BrokerAnswer } from './ask-broker.ts';
import { encodeRefusal, protocolConnacks } from './connack-packet.ts';
import { askedExpiry, hintsOf } from './connect-hints.ts';
import { type ConnectPacket, decodeConnect, encodeBrokerConnect } from './connect-packet.ts';
import { brokerLingerMs, clientLingerMs, hangUp } from './hang-up.ts';
import { Intake } from './intake.ts';
import { Relay } from './relay.ts';
import { type Admitted, Reporting, type ReportingPorts } from './reporting.ts';

export interface Door extends ReportingPorts {
  readonly connect: Connect;
  /** `from`: when the CONNECT came. */
  readonly issueTicket: (claims: TicketClaims, from: Ms) => string;
  readonly dialBroker: () => Duplex;
  readonly maxConnectBytes: number;
  readonly brokerTimeoutMs: number;
}

export interface Arrival {
  readonly client: Socket;
  /** The deployment that the listener or the TLS server name stands for, given the one of the suffix. May fail. */
  readonly deploymentFor: (suffix: string | undefined) => string | undefined | Promise<string | undefined>;
  /** So many more bytes of the client are kept until it is admitted. */
  readonly onKept: (bytes: number) => void;
  /** The CONNECT is here: the time for it no longer runs. */
  readonly onConnect: () => void;
  readonly onAdmitted: () => void;
  /** It has proven who it is, admitted or not; or it ended without: a wrong password, no MQTT, or it left. */
  readonly onVerdict: (verdict: 'login' | 'stranger') => void;
}

/** Bad user name or password, and not authorized, in MQTT 5 and before. */
const doubtsCredentials: ReadonlySet<number> = new Set([0x86, 0x87, 0x04, 0x05]);

/** Resolves when all that is to be told of this client has been told. Never rejects. */
export async function openConnection(door: Door, arrival: Arrival): Promise<void> {
  const { client } = arrival;
  const intake = new Intake(client, door.maxConnectBytes, arrival.onKept);
  const packet = await receiveConnect(arrival, intake);
  if (packet === undefined) {
    arrival.onVerdict('stranger');
    return;
  }
  const receivedAt = door.clock.now();
  const decision = await decide(door, arrival, packet, intake.left);
  const verdict = verdictOf(decision, intake.left.aborted);
  if (verdict !== undefined) arrival.onVerdict(verdict);
  if (decision.kind === 'rejected') {
    refuse(client, packet, connackFor(decision.reason));
    return;
  }
  arrival.onAdmitted();
  const reporting = new Reporting(door, decision);
  if (intake.left.aborted) {
    client.destroy();
    return reporting.failed({ unsent: true });
  }
  const answer = await askFor(door, packet, decision, decision.turnAt ?? receivedAt);
  const { deploymentId, username, clientId } = decision;
  const refusal = { deploymentId, username, clientId, reason: 'unavailable' };
  if (answer.kind === 'answered' && answer.connack.code === 0)
    return startRelay(door, client, intake, packet, decision, answer, reporting);
  if (answer.kind === 'answered') {
    hangUp(answer.broker, brokerLingerMs);
    // The client has been let in, so what the broker does not believe is the ticket, which has become too old: nobody is
    // told that he is not authorized for that (S17).
    if (doubtsCredentials.has(answer.connack.code)) {
      door.log.warn('the broker did not take a ticket', { ...refusal, code: answer.connack.code });
      refuse(client, packet, connackFor('unavailable'));
    } else {
      door.log.warn('the broker refused an admitted client', { ...refusal, code: answer.connack.code });
      hangUp(client, clientLingerMs, answer.connack.bytes);
    }
  } else {
    door.log.warn('an admitted client could not be connected', { ...refusal, detail: answer.detail });
    refuse(client, packet, connackFor('unavailable'));
    // The broker may keep a session of this CONNECT. That is for the lease to find out (S12), so nothing is said.
    if (answer.reached && decision.expirySeconds > 0) return;
  }
  return reporting.failed({ unsent: answer.kind === 'failed' && !answer.reached });
}

/** Undefined where nothing was found out: the client stayed, and its check had no turn. */
function verdictOf(decision: ConnectDecision, hasLeft: boolean): 'login' | 'stranger' | undefined {
  if (decision.kind === 'admitted') return 'login';
  if (decision.reason === 'unavailable') return hasLeft ? 'stranger' : undefined;
  return decision.reason === 'bad_credentials' ? 'stranger' : 'login';
}

/** Undefined where the client was answered or closed already. */
async function receiveConnect(arrival: Arrival, intake: Intake): Promise<ConnectPacket | undefined> {
  const { client } = arrival;
  const body = await intake.connect();
  arrival.onConnect();
  const decoded = body === undefined ? undefined : decodeConnect(body);
  if (decoded === undefined || decoded.kind === 'malformed') {
    client.destroy();
    return undefined;
  }
  if (decoded.kind === 'unsupported_version') {
    hangUp(client, clientLingerMs, encodeRefusal(decoded.answerVersion, protocolConnacks.unsupportedVersion));
    return undefined;
  }
  if (decoded.packet.enhancedAuthentication) {
    refuse(client, decoded.packet, protocolConnacks.enhancedAuthentication);
    return undefined;
  }
  return decoded.packet;
}

async function decide(
  door: Door,
  arrival: Arrival,
  packet: ConnectPacket,
  left: AbortSignal,
): Promise<ConnectDecision> {
  // Only the username and the deployment's name are taken: a ticket that a client sends ends here.
  const name = packet.userName === undefined ? undefined : splitUserName(packet.userName);
  const hints = hintsOf(packet, arrival.client.remoteAddress);
  try {
    return await door.connect({
      deploymentId: await arrival.deploymentFor(name?.deployment),
      username: name?.username,
      password: packet.password,
      clientId: packet.clientId,
      hints,
      left,
    });
  } catch (error) {
    door.log.error('the admission of a connect threw', { error: String(error) });
    return { kind: 'rejected', reason: 'unavailable', detail: 'the admission threw' };
  }
}

function askFor(door: Door, packet: ConnectPacket, admitted: Admitted, receivedAt: Ms): Promise<BrokerAnswer> {
  const { deploymentId, username, clientId, attempt, expirySeconds, validUntil } = admitted;
  const valid = validUntil === undefined ? {} : { validUntil };
  try {
    const ticket = door.issueTicket({ deploymentId, username, clientId, attempt, expirySeconds, ...valid }, receivedAt);
    const connect = encodeBrokerConnect(packet, {
      clientId: toBrokerClientId(deploymentId, clientId),
      userName: joinUserName(username, deploymentId, ticket),
      cleanStart: packet.cleanStart || admitted.mustCleanStart === true,
    });
    const { protocolVersion } = packet;
    const prefix = `${deploymentId}:`;
    return askBroker(door.dialBroker, { connect, protocolVersion, prefix, timeoutMs: door.brokerTimeoutMs });
  } catch (error) {
    return Promise.resolve({ kind: 'failed', detail: `no ticket for the broker: ${String(error)}`, reached: false });
  }
}

async function startRelay(
  door: Door,
  client: Socket,
  intake: Intake,
  packet: ConnectPacket,
  admitted: Admitted,
  { broker, connack, rest }: Extract<BrokerAnswer, { kind: 'answered' }>,
  reporting: Reporting,
): Promise<void> {
  const { protocolVersion } = packet;
  const asked = askedExpiry(packet, packet.cleanStart || admitted.mustCleanStart === true);
  const askedExpirySeconds = asked ?? admitted.expirySeconds;
  const grantedExpirySeconds = connack.sessionExpiryInterval ?? askedExpirySeconds;
  // Whoever has CONNACK 0 counts, also if this process dies at once: the queue has it before the client does. Where the
  // queue does not take it, the lease finds the connection (S12).
  await reporting.connected(grantedExpirySeconds, asked === undefined && protocolVersion < 5);
  if (admitted.validUntil !== undefined) endLater(client, admitted.validUntil - door.clock.now());
  const relay = new Relay({ client, broker, protocolVersion, askedExpirySeconds, grantedExpirySeconds });
  // The client may have left since it was admitted. The broker has a session for it all the same, so the connection
  // begins and ends, and what the session's expiry keeps goes on counting.
  relay.start([connack.bytes, rest], intake.release(), intake.ended);
  // A closure that named more would keep the whole CONNECT alive for as long as the connection.
  return relay.ended.then((end) => reporting.disconnected(end));
}

/** No connection outlives what vouches for it; one that lasts a day the broker cuts. */
function endLater(client: Socket, leftMs: number): void {
  const timer = setTimeout(() => client.destroy(), Math.min(Math.max(0, leftMs), maxConnectionSeconds * 1_000));
  client.once('close', () => clearTimeout(timer));
}

function refuse(client: Socket, packet: ConnectPacket, connack: Parameters<typeof encodeRefusal>[1]): void {
  hangUp(client, clientLingerMs, encodeRefusal(packet.protocolVersion, connack, packet.maximumPacketSize));
}
