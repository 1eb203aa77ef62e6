import { readFileSync } from "node:fs";
import { defineFuzzTarget, type FuzzRandom } from "@klieg/base/fuzz";
import type { AccessUnit } from "../access-unit.ts";
import { scanObus } from "../av1/obu.ts";
import { MediaError } from "../media-error.ts";
import { splitLengthPrefixed } from "../nal/nal-format.ts";
import { opusPacketSamples } from "../opus/opus-packet.ts";
import { RtpDemuxer } from "./rtp-demuxer.ts";
import { RtpPacket } from "./rtp-packet.ts";
import { RtpPacketizer, type RtpPayloadCodec } from "./rtp-packetizer.ts";
import { readSenderReports, writeSenderReport } from "./sender-report.ts";
import { CODECS, fixture, MIME_TYPES, makeUnits } from "./testing/synthetic-units.ts";

/** VP9 with spatial layers, framed likewise. */
const LAYERS = new Uint8Array(readFileSync(new URL("../../fixtures/chromium-vp9-svc.rtp", import.meta.url)));

const isExpectedError = (error: unknown) => error instanceof MediaError;

/** Packets, each behind its length in two bytes, as RFC 4571 has them: an input of the targets below. */
function framed(codec: RtpPayloadCodec, units: readonly AccessUnit[]): Uint8Array {
  const packetizer = new RtpPacketizer({
    codec,
    payloadType: 96,
    ssrc: 1,
    mtu: codec === "opus" ? 1200 : 400,
    sequenceNumber: 65_530,
    timestampBase: 2 ** 32 - 5000,
  });
  const parts: Buffer[] = [];
  for (const unit of units) {
    packetizer.push(unit, (packet) => {
      parts.push(Buffer.of(packet.length >> 8, packet.length & 0xff), Buffer.from(packet));
    });
  }
  return new Uint8Array(Buffer.concat(parts));
}

function corpus(codec: RtpPayloadCodec): Uint8Array[] {
  const plan = { resize: true, step: 1800, bodies: [new Uint8Array(500).fill(3), Uint8Array.of(1), Uint8Array.of(2)] };
  const plans = [true, false, true, false].map((keyframe) => ({ ...plan, keyframe }));
  const real = { h264: "multitrack", vp9: "vp9", av1: "av1-aac", opus: "hevc-opus", vp8: undefined }[codec];
  const units =
    real === undefined ? [] : fixture(real).units.filter(({ track }) => track.codec === codec && track.id === 0);
  const inputs = [framed(codec, makeUnits(codec, plans))];
  if (units.length > 0) inputs.push(framed(codec, units.slice(0, 3)));
  if (codec === "vp9") inputs.push(LAYERS.subarray(0, 6000));
  return inputs;
}

/** What must hold of an access unit whatever packets it came in. */
function check(unit: AccessUnit, lastDts: number): void {
  if (!(unit.dts > lastDts) || unit.pts !== unit.dts) throw new RangeError(`dts ${unit.dts} after ${lastDts}`);
  if (unit.data.length === 0) throw new RangeError("an access unit of nothing");
  if (unit.track.kind === "video" && !(unit.track.width > 0 && unit.track.height > 0))
    throw new RangeError("no picture");
  switch (unit.track.codec) {
    case "h264":
      splitLengthPrefixed(unit.data);
      break;
    case "av1":
      scanObus(unit.data);
      break;
    case "opus":
      opusPacketSamples(unit.data);
      break;
    default:
  }
}

/** Feeds the packets of an input; what is between them may be wrong, late or missing. */
function feed(codec: RtpPayloadCodec, input: Uint8Array, random: FuzzRandom): number {
  let bytes = 0;
  let lastDts = -1;
  let keyframeSeen = false;
  const demuxer = new RtpDemuxer(
    {
      onTrack: (track) => {
        bytes += track.config.length;
      },
      onAccessUnit: (unit) => {
        check(unit, lastDts);
        lastDts = unit.dts;
        keyframeSeen ||= unit.keyframe;
        if (!keyframeSeen) throw new RangeError("an access unit before the first keyframe");
        bytes += unit.data.length;
      },
    },
    { holdMs: random.below(40), maxHeldPackets: 1 + random.below(16) },
  );
  const kind = codec === "opus" ? "audio" : "video";
  const stream = demuxer.addStream({
    id: 0,
    kind,
    codec: { mimeType: MIME_TYPES[codec], clockRate: kind === "audio" ? 48_000 : 90_000 },
    // That of the first packet.
    payloadType: (input[3] ?? 96) & 0x7f,
  });
  let nowMs = 0;
  let late: Uint8Array | undefined;
  for (let at = 0; at + 2 <= input.length; ) {
    const end = Math.min(input.length, at + 2 + (((input[at] as number) << 8) | (input[at + 1] as number)));
    const packet = input.subarray(at + 2, end);
    at = end;
    nowMs += random.below(12);
    if (random.oneIn(30)) continue;
    if (late === undefined && random.oneIn(20)) {
      late = packet;
      continue;
    }
    stream.push(packet, nowMs);
    if (late !== undefined && random.oneIn(3)) {
      stream.push(late, nowMs);
      late = undefined;
    }
    if (random.oneIn(10)) {
      const rtpTimestamp = packet.length >= 8 ? new DataView(packet.buffer, packet.byteOffset).getUint32(4) : 0;
      stream.onSenderReport({ ntpMs: 1e12 + nowMs + random.below(5000), rtpTimestamp });
    }
    if (random.oneIn(5)) stream.tick(nowMs);
  }
  demuxer.close();
  return bytes;
}

export const fuzzTargets = [
  ...CODECS.map((codec) =>
    defineFuzzTarget({
      name: `rtp-${codec}`,
      corpus: () => corpus(codec),
      run: (input, random) => feed(codec, input, random),
      isExpectedError,
    }),
  ),
  defineFuzzTarget({
    name: "rtp-packet",
    corpus: () =>
      [
        // One-byte and two-byte header extensions, contributing sources, padding.
        "b2600001000000020000000300000005000000060000000007",
        "90600001000000020000000300000000bede0002127788003299000001020304",
        "b16000010000000200000003aabbccdd100000020103aabbcc02000001020304000004",
      ].map((text) => new Uint8Array(Buffer.from(text, "hex"))),
    run: (input) => {
      const packet = new RtpPacket().read(input);
      let bytes = packet.payload.length;
      packet.forEachExtension((id, value) => {
        if (id < 1 || id > 255 || value.length > 255) throw new RangeError("an extension that cannot be");
        bytes += value.length;
        return true;
      });
      if (bytes > input.length) throw new RangeError("more came out than went in");
      for (let i = 0; i < packet.csrcCount; i += 1) if (packet.csrc(i) === undefined) throw new RangeError("no source");
      return bytes;
    },
    isExpectedError,
  }),
  defineFuzzTarget({
    name: "rtcp-sender-reports",
    corpus: () => {
      const report = writeSenderReport({ ssrc: 1, ntpMs: 1.7e12, rtpTimestamp: 2, packets: 3, bytes: 4 }, "someone");
      return [report, Buffer.concat([report, report])];
    },
    run: (input) => readSenderReports(input).filter(({ ntpMs }) => !Number.isFinite(ntpMs)).length,
    isExpectedError,
  }),
];
