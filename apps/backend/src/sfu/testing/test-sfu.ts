import type { Clock } from "@klieg/base";
import type { types } from "mediasoup";
import { RecordingLogger } from "../../testing/recording-logger.ts";
import { Sfu } from "../sfu.ts";
import type { SfuFeed } from "../sfu-feed.ts";
import type { SfuNode } from "../sfu-node.ts";
import type { SfuStage } from "../sfu-stage.ts";
import { findWorkerProgram } from "../worker-program.ts";

/** Whether `npm test` was told that programs such as the media worker may be missing. */
export const WORKER_MAY_BE_MISSING = process.env.KLIEG_TEST_WITHOUT_PEERS === "1" && findWorkerProgram() === undefined;

/** An SFU on loopback with the real worker program. @throws Error in words where there is none. */
export async function openTestSfu(options: { workers?: number; port?: number; clock?: Clock } = {}): Promise<Sfu> {
  const workerProgram = findWorkerProgram();
  if (workerProgram === undefined) throw new Error("there is no media worker; `npm test` gets or builds one");
  return Sfu.open({
    logger: new RecordingLogger(),
    workerProgram,
    workers: options.workers ?? 1,
    port: options.port ?? 0,
    addresses: [{ ip: "127.0.0.1" }],
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  });
}

const OPUS_PAYLOAD_TYPE = 111;

/** A feed of Opus whose SSRC is `ssrc`. */
export function addOpusFeed(stage: SfuStage, ssrc: number): Promise<SfuFeed> {
  return stage.addFeed("audio", {
    codecs: [{ mimeType: "audio/opus", payloadType: OPUS_PAYLOAD_TYPE, clockRate: 48_000, channels: 2 }],
    headerExtensions: [],
    encodings: [{ ssrc }],
    rtcp: { cname: "test" },
  });
}

/** An RTP packet of such a feed (RFC 3550 § 5.1). */
export function opusPacket(ssrc: number, sequence: number, payload: string): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt8(0x80, 0);
  header.writeUInt8(OPUS_PAYLOAD_TYPE, 1);
  header.writeUInt16BE(sequence & 0xff_ff, 2);
  header.writeUInt32BE((sequence * 960) >>> 0, 4);
  header.writeUInt32BE(ssrc, 8);
  return Buffer.concat([header, Buffer.from(payload)]);
}

/** What is behind the header and the extensions that a router adds to it (RFC 3550 § 5.3.1). */
export function payloadOf(packet: Buffer): string {
  const hasExtensions = (packet.readUInt8(0) & 0x10) !== 0;
  return packet.subarray(hasExtensions ? 16 + packet.readUInt16BE(14) * 4 : 12).toString();
}

/** Consumes a producer on any worker of its stage, into this process. */
export async function consumeOn(
  node: SfuNode,
  stage: SfuStage,
  producerId: string,
): Promise<{ readonly consumer: types.Consumer; close(): void }> {
  const brought = await stage.bring(producerId, node);
  const transport = await node.router.createDirectTransport();
  const consumer = await transport.consume({ producerId: brought.id, rtpCapabilities: node.router.rtpCapabilities });
  return {
    consumer,
    close: () => {
      transport.close();
      brought[Symbol.dispose]();
    },
  };
}

/** Sends packets until one has arrived: whoever begins to receive may miss the first. @returns its payload. */
export async function deliver(feed: SfuFeed, ssrc: number, to: types.Consumer): Promise<string> {
  const arrival = Promise.withResolvers<string>();
  to.once("rtp", (packet) => arrival.resolve(payloadOf(packet)));
  let sequence = 0;
  const sending = setInterval(() => feed.send(opusPacket(ssrc, sequence++, `tone of ${ssrc}`)), 5);
  try {
    return await arrival.promise;
  } finally {
    clearInterval(sending);
  }
}
