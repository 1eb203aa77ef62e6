import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AccessUnit } from "../access-unit.ts";
import { partTargetTicks } from "../hls/live-media-playlist.ts";
import { CmafSegmenter } from "./cmaf-segmenter.ts";
import { SegmentAligner } from "./segment-aligner.ts";
import { SegmentRecorder } from "./testing/segment-recorder.ts";
import { aacTrackAt, audioUnits, numberOf, videoTrack, videoUnits } from "./testing/synthetic-track.ts";

const TARGET_DURATION = 4;
const frameRate = fc.constantFrom(24_000 / 1001, 24, 25, 29.83, 30_000 / 1001, 30, 50, 60_000 / 1001, 60);
const partTarget = fc.constantFrom(0.333, 0.334, 0.5, 0.25);

describe("PKG1 leader", () => {
  test("no part is a tick too long, none in mid-segment too short, sums are right, nothing is lost or moved", () => {
    fc.assert(
      fc.property(
        fc.record({
          frameRate,
          partTarget,
          gopSeconds: fc.constantFrom(0.4, 0.5, 1, 1.5, 1.92, 2, 2.002, 3, 4, 4.004),
          bFrames: fc.integer({ min: 0, max: 3 }),
          milliseconds: fc.boolean(),
          jitter: fc.array(fc.integer({ min: -1, max: 1 }), { minLength: 7, maxLength: 31 }),
          jitters: fc.boolean(),
          startTicks: fc.constantFrom(0, 1234, 2 ** 33, 90_000 * 86_400 * 365),
          seconds: fc.integer({ min: 5, max: 14 }),
        }),
        (plan) => {
          const gop = Math.max(1, Math.round(plan.gopSeconds * plan.frameRate));
          const units = videoUnits({
            track: videoTrack(),
            frames: Math.round(plan.seconds * plan.frameRate),
            frameRate: plan.frameRate,
            gop,
            bFrames: Math.min(plan.bFrames, gop - 1),
            startTicks: plan.startTicks,
            milliseconds: plan.milliseconds,
            jitterMs: (i) => (plan.jitters ? (plan.jitter[i % plan.jitter.length] as number) : 0),
          });
          const recorder = new SegmentRecorder(TARGET_DURATION, plan.partTarget);
          const segmenter = new CmafSegmenter(
            { targetDuration: TARGET_DURATION, partTarget: plan.partTarget, leads: true },
            recorder,
          );
          for (const unit of units) segmenter.push(unit);
          segmenter.flush();

          expect(segmenter.stats).toEqual({ awaitingKeyframe: 0, outsideSegment: 0, malformed: 0, gaps: 0 });
          expectSameSamples(recorder, units);
          const target = partTargetTicks(plan.partTarget);
          const longestFrame = Math.max(...units.slice(1).map((unit, i) => unit.dts - (units[i] as AccessUnit).dts));
          for (const [index, segment] of recorder.segments.entries()) {
            const last = index === recorder.segments.length - 1;
            for (const [i, part] of segment.parts.entries()) {
              expect(part.durationTicks).toBeLessThanOrEqual(target);
              if (i < segment.parts.length - 1 && longestFrame <= target * 0.15) {
                expect(part.durationTicks).toBeGreaterThanOrEqual(target * 0.85);
              }
            }
            expect(segment.start?.startTicks).toBe(segment.boundary.ticks);
            // Keyframes up to 4.1 s apart always make independent segments.
            expect(segment.start?.independent).toBe(true);
            expect(segment.boundary.discontinuity).toBe(false);
            if (!last) {
              expect(segment.durationTicks).toBeGreaterThanOrEqual(2 * 90_000 * 0.95 - 1);
              expect(segment.durationTicks).toBeLessThanOrEqual(4.1 * 90_000);
              const next = recorder.segments[index + 1];
              expect(next?.boundary.previousDurationTicks).toBe(segment.durationTicks);
            }
          }
          expectContinuous(recorder);
        },
      ),
      { numRuns: 25 },
    );
  });

  test("without keyframes it cuts at the target duration, and again at the next keyframe", () => {
    fc.assert(
      fc.property(frameRate, fc.integer({ min: 5, max: 12 }), (rate, gopSeconds) => {
        const gop = Math.round(gopSeconds * rate);
        const units = videoUnits({ track: videoTrack(), frames: gop * 3, frameRate: rate, gop });
        const recorder = lead(units, 0.334);
        const keyframes = units.filter((unit) => unit.keyframe).map((unit) => unit.pts);
        const independent = recorder.segments.filter((segment) => segment.start?.independent === true);
        expect(independent.map((segment) => segment.boundary.ticks)).toEqual(keyframes);
        for (const segment of recorder.segments) {
          expect(Math.round(segment.durationTicks / 90_000)).toBeLessThanOrEqual(TARGET_DURATION);
        }
        expectSameSamples(recorder, units);
      }),
      { numRuns: 12 },
    );
  });
});

describe("PKG1 followers", () => {
  test("sound is cut within half a frame of the leader's boundaries, without a hole, however early or late it comes", () => {
    fc.assert(
      fc.property(
        fc.record({
          sampleRate: fc.constantFrom<44_100 | 48_000>(44_100, 48_000),
          milliseconds: fc.boolean(),
          driftPpm: fc.integer({ min: -300, max: 300 }),
          soundStartMs: fc.integer({ min: -150, max: 150 }),
          soundArrivesLateMs: fc.integer({ min: -900, max: 900 }),
          frameRate,
          bFrames: fc.integer({ min: 0, max: 2 }),
        }),
        (plan) => {
          const video = videoUnits({
            track: videoTrack(),
            frames: Math.round(9 * plan.frameRate),
            frameRate: plan.frameRate,
            gop: Math.round(2 * plan.frameRate),
            bFrames: plan.bFrames,
            startTicks: 900_000,
            milliseconds: plan.milliseconds,
          });
          const audio = audioUnits({
            track: aacTrackAt(plan.sampleRate),
            frames: Math.round((9 * plan.sampleRate) / 1024),
            startTicks: 900_000 + plan.soundStartMs * 90,
            milliseconds: plan.milliseconds,
            driftPpm: plan.driftPpm,
          });
          const { leader, follower } = align(
            { units: video, arrives: (unit) => unit.dts },
            { units: audio, arrives: (unit) => unit.dts + plan.soundArrivesLateMs * 90 },
          );
          const frame = (1024 * 90_000) / plan.sampleRate;
          expect(follower.segments.length).toBe(leader.segments.length);
          for (const [i, segment] of follower.segments.entries()) {
            expect(segment.boundary).toBe(leader.segments[i]?.boundary);
            const offset = (segment.start?.startTicks as number) - segment.boundary.ticks;
            if (i === 0) expect(offset).toBeGreaterThanOrEqual(-frame / 2 - 1);
            else expect(Math.abs(offset)).toBeLessThanOrEqual(frame / 2 + 181); // and what timestamps in ms are off by
          }
          expectContinuous(follower);
          // Only what comes before the first keyframe is dropped.
          const first = numberOf((follower.samples[0] as { data: Uint8Array }).data);
          expect(follower.samples.map(({ data }) => numberOf(data))).toEqual(
            audio.slice(first).map(({ data }) => numberOf(data)),
          );
          expect(first).toBeLessThanOrEqual(Math.ceil((150 * 90 + 20_000) / frame));
        },
      ),
      { numRuns: 25 },
    );
  });

  test("a transcoded rendition that is late and has no B-frames begins each segment at the leader's keyframe", () => {
    fc.assert(
      fc.property(
        fc.record({
          frameRate,
          latencyMs: fc.integer({ min: 0, max: 2500 }),
          bFrames: fc.integer({ min: 0, max: 3 }),
          partTarget,
        }),
        (plan) => {
          const gop = Math.round(2 * plan.frameRate);
          const common = { frames: gop * 5, frameRate: plan.frameRate, gop, startTicks: 90_000 };
          const source = videoUnits({ track: videoTrack(), bFrames: plan.bFrames, ...common });
          // The same pictures in order of presentation.
          const shown = source.map((unit) => unit.pts).sort((a, b) => a - b);
          const track = videoTrack(1, Uint8Array.of(1, 66, 0, 30));
          const transcoded = videoUnits({ track, ...common }).map((unit, i) => ({
            ...unit,
            dts: shown[i] as number,
            pts: shown[i] as number,
          }));
          const { leader, follower } = align(
            { units: source, arrives: (unit) => unit.dts },
            { units: transcoded, arrives: (unit) => unit.dts + plan.latencyMs * 90 },
            plan.partTarget,
          );
          expect(follower.segments.map((segment) => segment.start?.startTicks)).toEqual(
            leader.segments.map((segment) => segment.start?.startTicks),
          );
          expect(follower.segments.every((segment) => segment.start?.independent === true)).toBe(true);
          expectSameSamples(follower, transcoded);
          expectContinuous(follower);
        },
      ),
      { numRuns: 12 },
    );
  });

  test("PKG4: whatever goes missing, breaks or changes, segments are numbered alike and never too long", () => {
    const trouble = fc.record({
      track: fc.integer({ min: 0, max: 2 }),
      fromMs: fc.integer({ min: 0, max: 14_000 }),
      lengthMs: fc.integer({ min: 10, max: 9000 }),
      kind: fc.constantFrom<Trouble["kind"]>("missing", "missing", "break", "interrupt", "reconfigure"),
    });
    fc.assert(
      fc.property(
        fc.array(trouble, { maxLength: 5 }),
        fc.array(fc.integer({ min: -400, max: 2500 }), { minLength: 3, maxLength: 3 }),
        fc.integer({ min: 0, max: 2 }),
        (troubles, lateMs, bFrames) => {
          const common = { frames: 450, frameRate: 30, gop: 45, startTicks: 90_000 };
          const tracks = [
            videoUnits({ track: videoTrack(), bFrames, ...common }),
            audioUnits({ track: aacTrackAt(44_100), frames: 640, startTicks: 90_000 }),
            // Without B-frames, pictures are decoded when the source's are shown.
            videoUnits({
              track: videoTrack(1, Uint8Array.of(9)),
              ...common,
              startTicks: 90_000 + (bFrames > 0 ? 3000 : 0),
            }),
          ];
          const aligner = new SegmentAligner();
          const recorders = tracks.map(() => new SegmentRecorder(TARGET_DURATION, 0.334));
          const segmenters = recorders.map((recorder, i) =>
            aligner.join({ targetDuration: TARGET_DURATION, partTarget: 0.334, mayLead: i < 2 }, recorder),
          );
          const arrivals = tracks.flatMap((units, track) =>
            damaged(units, track, troubles).map((unit) => ({
              at: unit.dts + (track === 0 ? 0 : Math.max(track === 1 ? -400 : 0, lateMs[track] as number)) * 90,
              track,
              unit,
            })),
          );
          arrivals.sort((a, b) => a.at - b.at);
          const interruptions = troubles
            .filter(({ kind }) => kind === "interrupt")
            .map(({ fromMs }) => 90_000 + fromMs * 90)
            .sort((a, b) => a - b);
          let interruptedAt = 0;
          for (const { at, track, unit } of arrivals) {
            while (at >= (interruptions[0] ?? Number.POSITIVE_INFINITY)) {
              interruptedAt = interruptions.shift() as number;
              aligner.flush();
            }
            // What an encoder had not sent when its connection broke never comes; what the transcoder has still comes.
            if (track < 2 && unit.dts < interruptedAt) continue;
            aligner.push(segmenters[track] as CmafSegmenter, unit);
          }
          aligner.flush();

          const boundaries = recorders.flatMap((recorder) => recorder.boundaries).sort((a, b) => a.index - b.index);
          expect(boundaries.map(({ index }) => index)).toEqual(boundaries.map((_, i) => i));
          // Sound that nothing happens to loses nothing, whatever becomes of the pictures.
          if (troubles.every(({ track, kind }) => track !== 1 && (kind === "missing" || kind === "reconfigure"))) {
            const numbers = (recorders[1] as SegmentRecorder).samples.map(({ data }) => numberOf(data));
            expect(numbers).toEqual(Array.from({ length: 640 - (numbers[0] ?? 0) }, (_, i) => i + (numbers[0] ?? 0)));
          }
          for (const recorder of recorders) {
            // Each that has begun has them all, to the last.
            const last = recorder.segments.at(-1);
            if (last !== undefined) expect(last.boundary.index).toBe(boundaries.length - 1);
            for (const segment of recorder.segments) {
              // One and the same boundary for all, and media that belongs there.
              expect(boundaries[segment.boundary.index]).toBe(segment.boundary);
              const start = segment.start?.startTicks;
              if (start !== undefined) expect(start).toBeGreaterThanOrEqual(segment.boundary.ticks - 1600);
              const next = boundaries[segment.boundary.index + 1];
              if (start !== undefined && next !== undefined) expect(start).toBeLessThan(next.ticks + 6000);
            }
            // Decode times rise, whatever happens.
            const times = recorder.segments.flatMap((segment) =>
              segment.parts.map((part) => part.baseDecodeTime / (segment.track?.kind === "audio" ? 44_100 : 90_000)),
            );
            expect(times).toEqual([...times].sort((a, b) => a - b));
            recorder.read();
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});

interface Trouble {
  readonly track: number;
  readonly fromMs: number;
  readonly lengthMs: number;
  readonly kind: "missing" | "break" | "interrupt" | "reconfigure";
}

function damaged(units: readonly AccessUnit[], track: number, troubles: readonly Trouble[]): AccessUnit[] {
  let left = [...units];
  for (const { track: which, fromMs, lengthMs, kind } of troubles) {
    const from = 90_000 + fromMs * 90;
    const to = from + lengthMs * 90;
    if (kind === "break" || kind === "interrupt") {
      // The whole contribution goes, and comes back later with a broken timeline; the stream may have been told.
      left = left.filter((unit) => unit.dts < from || unit.dts >= to);
      const first = left.findIndex((unit) => unit.dts >= to);
      if (first >= 0) left[first] = { ...(left[first] as AccessUnit), discontinuity: true };
    } else if (which !== track && !(which === 0 && track === 2)) {
      // Only that track suffers; and what the transcoder makes of it.
    } else if (kind === "missing") {
      left = left.filter((unit) => unit.dts < from || unit.dts >= to);
    } else {
      const first = left[0]?.track;
      if (first === undefined) continue;
      const changed =
        first.kind === "video" ? { ...first, config: Uint8Array.of(7, fromMs & 0xff) } : { ...first, channels: 1 };
      left = left.map((unit) => (unit.dts >= from ? { ...unit, track: changed } : unit));
    }
  }
  return left;
}

function lead(units: readonly AccessUnit[], part: number): SegmentRecorder {
  const recorder = new SegmentRecorder(TARGET_DURATION, part);
  const segmenter = new CmafSegmenter({ targetDuration: TARGET_DURATION, partTarget: part, leads: true }, recorder);
  for (const unit of units) segmenter.push(unit);
  segmenter.flush();
  return recorder;
}

interface Feed {
  readonly units: readonly AccessUnit[];
  readonly arrives: (unit: AccessUnit) => number;
}

function align(first: Feed, second: Feed, part = 0.334): { leader: SegmentRecorder; follower: SegmentRecorder } {
  const aligner = new SegmentAligner();
  const leader = new SegmentRecorder(TARGET_DURATION, part);
  const follower = new SegmentRecorder(TARGET_DURATION, part);
  const options = { targetDuration: TARGET_DURATION, partTarget: part };
  const leading = aligner.join({ ...options, mayLead: true }, leader);
  const following = aligner.join({ ...options, mayLead: false }, follower);
  const arrivals = [
    ...first.units.map((unit) => ({ at: first.arrives(unit), to: leading, unit })),
    ...second.units.map((unit) => ({ at: second.arrives(unit), to: following, unit })),
  ].sort((a, b) => a.at - b.at);
  for (const { to, unit } of arrivals) aligner.push(to, unit);
  aligner.flush();
  return { leader, follower };
}

/** Every unit is there once, in order, with the decode and presentation times that it came with. */
function expectSameSamples(recorder: SegmentRecorder, units: readonly AccessUnit[]): void {
  const found = recorder.samples.map((sample) => ({
    number: numberOf(sample.data),
    dts: sample.decodeTime,
    pts: sample.decodeTime + sample.compositionOffset,
    keyframe: sample.keyframe,
  }));
  expect(found).toEqual(
    units.map((unit) => ({ number: numberOf(unit.data), dts: unit.dts, pts: unit.pts, keyframe: unit.keyframe })),
  );
}

/** Each part begins where the one before ends. */
function expectContinuous(recorder: SegmentRecorder): void {
  let end: number | undefined;
  for (const part of recorder.segments.flatMap((segment) => segment.parts)) {
    if (end !== undefined) expect(part.baseDecodeTime).toBe(end);
    end = part.samples.reduce((time, sample) => time + sample.duration, part.baseDecodeTime);
  }
}
