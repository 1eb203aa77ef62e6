import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { AccessUnit } from "../access-unit.ts";
import { FlvDemuxer } from "../flv/flv-demuxer.ts";
import { FlvFileReader } from "../flv/flv-file.ts";
import { MediaLog } from "../testing/media-log.ts";
import { RtpDemuxer } from "./rtp-demuxer.ts";
import { RtpPacketizer } from "./rtp-packetizer.ts";

function fixture(name: string): MediaLog {
  const log = new MediaLog();
  const demuxer = new FlvDemuxer(log);
  new FlvFileReader().push(readFileSync(new URL(`../../fixtures/${name}.flv`, import.meta.url)), (tag) => {
    if (tag.kind === "video") demuxer.pushVideo(tag.timestampMs, tag.body);
    else if (tag.kind === "audio") demuxer.pushAudio(tag.timestampMs, tag.body);
  });
  return log;
}

const MIME = { h264: "video/H264", opus: "audio/opus" } as const;

/** Sends access units of one track as RTP and reads them again. */
function roundTrip(codec: keyof typeof MIME, units: readonly AccessUnit[]): MediaLog {
  const log = new MediaLog();
  const packetizer = new RtpPacketizer({ codec, payloadType: 96, ssrc: 7, mtu: 200 });
  using demuxer = new RtpDemuxer(log);
  const kind = codec === "opus" ? "audio" : "video";
  const stream = demuxer.addStream({
    id: units[0]!.track.id,
    kind,
    codec: { mimeType: MIME[codec], clockRate: packetizer.clockRate },
    payloadType: 96,
    ssrc: 7,
  });
  for (const unit of units) packetizer.push(unit, (packet) => stream.push(packet, unit.pts / 90));
  return log;
}

for (const [codec, name] of [
  ["h264", "multitrack"],
  ["opus", "hevc-opus"],
] as const) {
  test(`${codec} goes into RTP and comes out the same (ING3, RTC3)`, () => {
    const units = fixture(name)
      .units.filter((unit) => unit.track.codec === codec && unit.track.id === 0)
      .map((unit) => ({ ...unit, pts: unit.dts }));
    expect(units.length).toBeGreaterThan(5);
    const log = roundTrip(codec, units);
    expect(log.warnings).toEqual([]);
    expect(log.units.map(({ data }) => Buffer.from(data).toString("hex"))).toEqual(
      units.map(({ data }) => Buffer.from(data).toString("hex")),
    );
    expect(log.units.map(({ keyframe }) => keyframe)).toEqual(units.map(({ keyframe }) => keyframe));
    const first = units[0]!.pts - log.units[0]!.pts;
    // FLV rounds to whole milliseconds; of sound that is taken out again.
    const tolerance = codec === "opus" ? 90 : 0;
    log.units.forEach(({ pts, dts }, i) => {
      expect(Math.abs(pts + first - units[i]!.pts)).toBeLessThanOrEqual(tolerance);
      expect(dts).toBe(pts);
    });
    const { config, ...track } = log.tracks[0]!;
    expect(log.tracks).toHaveLength(1);
    expect(track).toMatchObject({ kind: units[0]!.track.kind, id: 0, codec });
    if (codec === "h264") expect(config).toEqual(units[0]!.track.config);
  });
}
