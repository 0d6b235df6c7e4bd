// The broker's side of an admitted CONNECT: dial, send it, wait for the CONNACK.
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type BrokerConnack, decodeConnack } from './connack-packet.ts';
import type { ProtocolVersion } from './connect-packet.ts';
import { PacketFramer } from './packet-framer.ts';

/** Far above any real CONNACK; a broker that claims more is not answering. */
const maxConnackBytes = 65_536;

export interface BrokerQuestion {
  readonly connect: Buffer;
  readonly protocolVersion: ProtocolVersion;
  /** What stands before the client id at the broker. */
  readonly prefix: string;
  /** For dialling and answering together. */
  readonly timeoutMs: number;
}

export type BrokerAnswer =
  | {
      readonly kind: 'answered';
      /** Paused. */
      readonly broker: Duplex;
      readonly connack: BrokerConnack;
      /** What came behind the CONNACK already. */
      readonly rest: Buffer;
    }
  | {
      readonly kind: 'failed';
      readonly detail: string;
      /** The CONNECT may have reached the broker: what it made of it, nobody here can say. */
      readonly reached: boolean;
    };

/** Never rejects. Whatever is not a CONNACK in time is a failure, and the stream is destroyed. */
export function askBroker(dial: () => Duplex, question: BrokerQuestion): Promise<BrokerAnswer> {
  return new Promise((settle) => {
    let broker: Duplex;
    try {
      broker = dial();
    } catch (error) {
      settle({ kind: 'failed', detail: `dialling the broker failed: ${String(error)}`, reached: false });
      return;
    }
    const framer = new PacketFramer((firstByte, length) =>
      firstByte === 0x20 && length <= maxConnackBytes ? 'keep' : 'refuse',
    );
    let reason = 'the broker closed without a CONNACK';
    let reached = !(broker instanceof Socket && broker.connecting);
    broker.once('connect', () => {
      reached = true;
    });

    const timer = setTimeout(() => fail('the broker did not answer in time'), question.timeoutMs);
    const stopListening = () => {
      clearTimeout(timer);
      broker.off('data', take).off('end', end).off('close', end).off('error', blame);
    };
    const fail = (detail: string) => {
      stopListening();
      broker.destroy();
      settle({ kind: 'failed', detail, reached });
    };
    const end = () => fail(reason);
    const blame = (error: Error) => {
      reason = `the broker's stream failed: ${error.message}`;
    };
    const take = (chunk: Buffer) => {
      const step = framer.step(chunk, 0);
      if (step !== undefined && step.packet === undefined) return;
      const connack = step?.packet && decodeConnack(step.packet.body, question.protocolVersion, question.prefix);
      if (step === undefined || connack === undefined) {
        fail('the broker answered with something that is not a CONNACK');
        return;
      }
      stopListening();
      broker.pause();
      settle({ kind: 'answered', broker, connack, rest: chunk.subarray(step.next) });
    };

    broker.on('error', destroyOnError).once('error', blame);
    broker.on('data', take).once('end', end).once('close', end);
    if (broker.destroyed) end();
    else broker.write(question.connect);
  });
}

/**
 * Stays for good: an error without a listener would end the process. A close follows every error. It stands out here
 * because a listener keeps alive what the scope around it holds, and a CONNECT can be long.
 */
function destroyOnError(this: Duplex): void {
  this.destroy();
}
