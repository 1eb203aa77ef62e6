import { describe, expect, it } from "vitest";
import { changeBetween, readReception } from "./reception.ts";

function report(change: Record<string, Record<string, unknown>> = {}): Map<string, unknown> {
  const entries: Record<string, Record<string, unknown>> = {
    V: {
      type: "inbound-rtp",
      kind: "video",
      packetsReceived: 1000,
      packetsLost: 10,
      bytesReceived: 1_000_000,
      jitter: 0.004,
      framesDecoded: 300,
      framesDropped: 2,
      freezeCount: 1,
      totalFreezesDuration: 0.4,
      jitterBufferDelay: 9,
      jitterBufferEmittedCount: 300,
      totalProcessingDelay: 12,
      codecId: "C",
      framesPerSecond: 30,
      frameWidth: 1280,
      frameHeight: 720,
    },
    A: { type: "inbound-rtp", kind: "audio", packetsReceived: 500, packetsLost: 0, bytesReceived: 50_000 },
    C: { type: "codec", mimeType: "video/H264" },
    T: { type: "transport", selectedCandidatePairId: "P" },
    P: { type: "candidate-pair", localCandidateId: "L", currentRoundTripTime: 0.042 },
    L: { type: "local-candidate", protocol: "udp", candidateType: "host" },
  };
  return new Map(Object.entries({ ...entries, ...change }).map(([id, entry]) => [id, { id, ...entry }]));
}

describe("reception", () => {
  it("reads what a browser tells", () => {
    expect(readReception(report(), 7)).toEqual({
      at: 7,
      packets: 1500,
      lost: 10,
      bytes: 1_050_000,
      jitter: 0.004,
      framesDecoded: 300,
      framesDropped: 2,
      freezes: 1,
      frozenFor: 0.4,
      buffered: 9,
      bufferedCount: 300,
      processed: 12,
      roundTrip: 0.042,
      codec: "H264",
      frameRate: 30,
      width: 1280,
      height: 720,
      path: { protocol: "UDP", relayed: false },
    });
  });

  it.each([
    [
      { protocol: "tcp", candidateType: "host" },
      { protocol: "TCP", relayed: false },
    ],
    [
      { protocol: "udp", candidateType: "relay", relayProtocol: "tls" },
      { protocol: "TLS", relayed: true },
    ],
    [
      { protocol: "udp", candidateType: "relay" },
      { protocol: "UDP", relayed: true },
    ],
  ])("names the path: %o", (local, path) => {
    expect(readReception(report({ L: { type: "local-candidate", ...local } }), 0).path).toEqual(path);
  });

  it("makes do with what there is", () => {
    const silent = readReception([], 0);
    expect(silent).toMatchObject({ packets: 0, codec: null, path: null, roundTrip: null, jitter: null });
    const marked = report({
      T: { type: "other" },
      P: { type: "candidate-pair", selected: true, localCandidateId: "L" },
    });
    expect(readReception(marked, 0).path).toEqual({ protocol: "UDP", relayed: false });
    const sound = report({ V: { type: "other" } });
    expect(readReception(sound, 0)).toMatchObject({ packets: 500, framesDecoded: 0, width: null });
  });

  it("tells what went on between two readings", () => {
    const before = readReception(report(), 1000);
    const after = {
      ...before,
      at: 2000,
      packets: before.packets + 95,
      lost: before.lost + 5,
      bytes: before.bytes + 125_000,
      bufferedCount: before.bufferedCount + 30,
      buffered: before.buffered + 0.6,
      framesDecoded: before.framesDecoded + 30,
      processed: before.processed + 1.2,
      freezes: before.freezes + 1,
    };
    expect(changeBetween(before, after)).toEqual({
      bitrate: 1_000_000,
      loss: 0.05,
      packets: 95,
      freezes: 1,
      jitterBuffer: expect.closeTo(0.02),
      processing: expect.closeTo(0.04),
    });
    expect(changeBetween(before, before)).toMatchObject({ bitrate: 0, loss: null, jitterBuffer: null });
  });
});
