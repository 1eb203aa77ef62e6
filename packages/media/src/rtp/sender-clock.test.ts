import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AccessUnit } from "../access-unit.ts";
import { MediaLog } from "../testing/media-log.ts";
import { RtpDemuxer } from "./rtp-demuxer.ts";
import { RtpPacketizer } from "./rtp-packetizer.ts";
import type { RtpStream } from "./rtp-stream.ts";
import { makeUnits } from "./testing/synthetic-units.ts";

const START_NTP_MS = 1_790_000_000_000;

/** A sender of sound (20 ms) and video (40 ms) whose streams take unlike ways: delays in ms of each, what they count from at random. */
class Sender {
  readonly log = new MediaLog();
  readonly demuxer = new RtpDemuxer(this.log);
  readonly audio: RtpStream;
  readonly video: RtpStream;
  readonly #audioOut = new RtpPacketizer({
    codec: "opus",
    payloadType: 111,
    ssrc: 1,
    timestampBase: 2 ** 32 - 100_000,
  });
  readonly #videoOut = new RtpPacketizer({ codec: "h264", payloadType: 96, ssrc: 2, timestampBase: 123_456_789 });
  readonly #video = makeUnits("h264", [
    { keyframe: true, resize: false, step: 15, bodies: [Uint8Array.of(1, 2, 3)] },
    { keyframe: false, resize: false, step: 15, bodies: [Uint8Array.of(4, 5, 6)] },
  ]);
  readonly #sound = makeUnits("opus", [{ keyframe: true, resize: false, step: 15, bodies: [Uint8Array.of(1)] }]);

  constructor() {
    const opus = { mimeType: "audio/opus", clockRate: 48_000, channels: 2 };
    this.audio = this.demuxer.addStream({ id: 0, kind: "audio", codec: opus, payloadType: 111, ssrc: 1 });
    const h264 = { mimeType: "video/H264", clockRate: 90_000 };
    this.video = this.demuxer.addStream({ id: 0, kind: "video", codec: h264, payloadType: 96, ssrc: 2 });
  }

  /** One frame of sound or video, of the sender's time `ms`, that arrives at `arrivalMs`. */
  send(kind: "audio" | "video", ms: number, arrivalMs: number): void {
    const [stream, out] = kind === "audio" ? [this.audio, this.#audioOut] : [this.video, this.#videoOut];
    const unit = (kind === "audio" ? this.#sound[0] : this.#video[this.videoSent === 0 ? 0 : 1]) as AccessUnit;
    out.push({ ...unit, pts: ms * 90 }, (packet) => stream.push(packet, arrivalMs));
    if (kind === "video") this.videoSent += 1;
  }

  report(kind: "audio" | "video", ms: number, error = 0): void {
    const [stream, out] = kind === "audio" ? [this.audio, this.#audioOut] : [this.video, this.#videoOut];
    const base = kind === "audio" ? 2 ** 32 - 100_000 : 123_456_789;
    const rtpTimestamp = (base + Math.round((ms * out.clockRate) / 1000)) % 2 ** 32;
    stream.onSenderReport({ ntpMs: START_NTP_MS + ms + error, rtpTimestamp });
  }

  /** Sends so many ms; each stream with its delay. */
  run(fromMs: number, toMs: number, audioDelay: number, videoDelay: number): void {
    const events: (readonly ["audio" | "video", number, number])[] = [];
    for (let ms = fromMs; ms < toMs; ms += 20) {
      events.push(["audio", ms, ms + audioDelay]);
      if (ms % 40 === 0) events.push(["video", ms, ms + videoDelay]);
    }
    for (const [kind, ms, arrival] of events.sort((a, b) => a[2] - b[2])) this.send(kind, ms, arrival);
  }

  videoSent = 0;

  get sound(): AccessUnit[] {
    return this.log.audio();
  }

  get pictures(): AccessUnit[] {
    return this.log.video();
  }

  /** By how much video that was sent with a sound lies behind it now, ms. `firstMs`: the sender's time of the first of both. */
  skewMs(pictureIndex: number, firstMs = 0): number {
    const sound = this.sound[(pictureIndex * 40 - firstMs) / 20] as AccessUnit;
    return ((this.pictures[pictureIndex] as AccessUnit).dts - sound.dts) / 90;
  }
}

function steps(units: readonly AccessUnit[]): number[] {
  return units.slice(1).map(({ dts }, i) => dts - (units[i] as AccessUnit).dts);
}

describe("one timeline of a sender's streams (ING3)", () => {
  test("before the first report, streams lie as they arrived", () => {
    const sender = new Sender();
    sender.run(0, 2000, 30, 150);
    expect(sender.skewMs(10)).toBeCloseTo(120);
    expect(new Set(steps(sender.sound))).toEqual(new Set([1800]));
    expect(new Set(steps(sender.pictures))).toEqual(new Set([3600]));
    expect(Math.min(...sender.log.units.map(({ dts }) => dts))).toBe(900_000);
  });

  test("video that came late is moved back in small steps, without running backwards; sound is left alone", () => {
    const sender = new Sender();
    sender.run(0, 1000, 30, 150);
    sender.report("audio", 990);
    sender.report("video", 985);
    sender.run(1000, 3000, 30, 150);
    expect(sender.skewMs(70)).toBeCloseTo(0, 0);
    expect(new Set(steps(sender.sound))).toEqual(new Set([1800]));
    expect(Math.min(...steps(sender.pictures))).toBe(1800);
    // 120 ms at half a frame of 40 ms each: 6 frames.
    expect(steps(sender.pictures).filter((step) => step < 3600)).toHaveLength(6);
    expect(sender.log.warnings).toEqual([]);
  });

  test("video that came early is moved on in one step, whichever report comes first", () => {
    const sender = new Sender();
    sender.report("video", 0);
    sender.run(0, 1000, 200, 20);
    sender.report("audio", 990);
    sender.run(1000, 3000, 200, 20);
    expect(sender.skewMs(70)).toBeCloseTo(0, 0);
    expect(new Set(steps(sender.sound))).toEqual(new Set([1800]));
    expect(steps(sender.pictures).filter((step) => step !== 3600)).toEqual([3600 + 180 * 90]);
  });

  test("reports that tremble by a millisecond move nothing; those of clocks that drift keep the streams together", () => {
    const sender = new Sender();
    sender.run(0, 1000, 30, 30);
    for (let second = 1; second < 20; second += 1) {
      sender.report("audio", second * 1000 - 10, second % 2);
      sender.report("video", second * 1000 - 5, -(second % 2) / 2);
      sender.run(second * 1000, (second + 1) * 1000, 30, 30);
    }
    expect(new Set(steps(sender.pictures))).toEqual(new Set([3600]));
    // The camera's clock runs 2 ms a second slow against the sender's.
    for (let second = 20; second < 40; second += 1) {
      sender.report("audio", second * 1000 - 10);
      sender.report("video", second * 1000 - 5, 2 * (second - 20));
      sender.run(second * 1000, (second + 1) * 1000, 30, 30);
    }
    expect(sender.skewMs(999)).toBeGreaterThan(34);
    expect(sender.skewMs(999)).toBeLessThanOrEqual(40);
    expect(Math.max(...steps(sender.pictures))).toBeLessThanOrEqual(3600 + 4 * 90);
  });

  test("reports of other streams, and of clocks that cannot be, are passed over", () => {
    const sender = new Sender();
    sender.run(0, 1000, 30, 30);
    sender.report("audio", 990);
    sender.video.onSenderReport({ ntpMs: START_NTP_MS + 980, rtpTimestamp: 4_000_000_000 });
    sender.report("video", 980, 60_000);
    sender.video.onSenderReport({ ntpMs: Number.NaN, rtpTimestamp: 123_456_789 + 90_000 });
    sender.run(1000, 2000, 30, 30);
    expect(new Set(steps(sender.pictures))).toEqual(new Set([3600]));
    expect(sender.log.codes).toEqual(new Array(3).fill("sender_report_implausible"));
    // The right one still counts.
    sender.report("video", 1980, 50);
    sender.run(2000, 3000, 30, 30);
    expect(sender.skewMs(70)).toBeCloseTo(50, 0);
  });

  test("whatever arrives when, and whatever reports say, no stream runs backwards", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            audioDelay: fc.integer({ min: 0, max: 400 }),
            videoDelay: fc.integer({ min: 0, max: 400 }),
            audioError: fc.integer({ min: -300, max: 300 }),
            videoError: fc.integer({ min: -300, max: 300 }),
            audio: fc.boolean(),
            video: fc.boolean(),
          }),
          { minLength: 1, maxLength: 8 },
        ),
        (seconds) => {
          const sender = new Sender();
          seconds.forEach((second, i) => {
            sender.run(i * 1000, (i + 1) * 1000, second.audioDelay, second.videoDelay);
            if (second.audio) sender.report("audio", i * 1000 + 980, second.audioError);
            if (second.video) sender.report("video", i * 1000 + 980, second.videoError);
          });
          expect(new Set(steps(sender.sound))).toEqual(new Set([1800]));
          expect(Math.min(...steps(sender.pictures))).toBeGreaterThanOrEqual(1800);
          expect(sender.pictures).toHaveLength(sender.videoSent);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe("timestamps that leap (ING3)", () => {
  test("the stream goes on at the time of arrival, and says so", () => {
    const sender = new Sender();
    sender.run(0, 1000, 30, 30);
    for (let i = 0; i < 5; i += 1) sender.send("video", 500_000 + 40 * i, 1030 + 40 * i);
    const after = sender.pictures.slice(25);
    expect(after.map(({ discontinuity }) => discontinuity)).toEqual([true, ...new Array(4).fill(undefined)]);
    expect(after.map(({ dts }) => dts)).toEqual([0, 1, 2, 3, 4].map((i) => 900_000 + (1000 + 40 * i) * 90));
    expect(sender.log.codes).toEqual(["timestamps_jumped"]);
    // And back.
    for (let i = 5; i < 8; i += 1) sender.send("video", 1000 + 40 * i, 1030 + 40 * i);
    expect(sender.pictures[30]).toMatchObject({ discontinuity: true, dts: 900_000 + 1200 * 90 });
  });

  test("a pause of the sender, and packets that were held up, are no leap", () => {
    const sender = new Sender();
    sender.run(0, 1000, 30, 30);
    sender.run(31_000, 32_000, 30, 30);
    // Nothing for four seconds, then all of it.
    for (let ms = 32_000; ms < 36_000; ms += 40) sender.send("video", ms, 36_000);
    sender.run(36_000, 37_000, 30, 30);
    expect(sender.log.warnings).toEqual([]);
    expect(steps(sender.pictures).filter((step) => step !== 3600)).toEqual([30_040 * 90]);
  });

  test("a stream whose timestamps stood still while time went on is put where it arrives", () => {
    const sender = new Sender();
    sender.run(0, 1000, 30, 30);
    for (let ms = 1000; ms < 5000; ms += 20) sender.send("audio", ms, ms + 60_030);
    const last = sender.sound.at(-1) as AccessUnit;
    expect(last.dts).toBe(900_000 + (4980 + 60_000) * 90);
    expect(sender.sound.filter(({ discontinuity }) => discontinuity)).toHaveLength(1);
    expect(Math.min(...steps(sender.sound))).toBe(1800);
  });
});
