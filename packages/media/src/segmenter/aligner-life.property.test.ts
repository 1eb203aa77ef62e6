import fc from "fast-check";
import { expect, test } from "vitest";
import type { AccessUnit } from "../access-unit.ts";
import type { CmafSegmenter } from "./cmaf-segmenter.ts";
import { SegmentAligner } from "./segment-aligner.ts";
import { SegmentRecorder } from "./testing/segment-recorder.ts";
import { aacTrackAt, audioUnits, videoTrack, videoUnits } from "./testing/synthetic-track.ts";

const TARGET_DURATION = 4;
const NAMES = ["source", "made", "audio"] as const;
type Name = (typeof NAMES)[number];

test("PKG4 ING5: contributions that follow each other on one stream, each with other tracks, are numbered alike", () => {
  const contribution = fc.record({
    /** Whether the source's picture is packaged, else only what is made of it. */
    straight: fc.boolean(),
    made: fc.boolean(),
    sound: fc.constantFrom<"source" | "transcode" | "none">("source", "transcode", "none"),
    ms: fc.integer({ min: 100, max: 9000 }),
    gapMs: fc.integer({ min: 1, max: 8000 }),
    madeLateMs: fc.integer({ min: 0, max: 2500 }),
    soundLateMs: fc.integer({ min: -300, max: 2500 }),
    /** The picture's size changes so long after the beginning, ms. */
    changesAtMs: fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 3 }),
    gop: fc.constantFrom(15, 45, 60, 200),
    /** How much of what the transcoder has still comes before the packager settles; the rest never does, ms. */
    tailMs: fc.integer({ min: 0, max: 3000 }),
    interrupts: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(contribution, { minLength: 1, maxLength: 4 }), (contributions) => {
      const aligner = new SegmentAligner();
      const recorders = new Map<Name, SegmentRecorder>();
      const segmenters = new Map<Name, CmafSegmenter>();
      const origins = new Map<Name, string>();
      const segmenter = (name: Name, origin: "source" | "transcode") => {
        let known = segmenters.get(name);
        if (known === undefined) {
          const recorder = new SegmentRecorder(TARGET_DURATION, 0.334);
          known = aligner.join(
            { targetDuration: TARGET_DURATION, partTarget: 0.334, mayLead: origin === "source" || name !== "audio" },
            recorder,
          );
          recorders.set(name, recorder);
          segmenters.set(name, known);
          origins.set(name, origin);
        }
        return known;
      };
      let begins = 90_000;
      let serial = 0;
      for (const plan of contributions) {
        const ends = begins + plan.ms * 90;
        const from = (units: AccessUnit[], lateMs: number, name: Name, origin: "source" | "transcode") =>
          units.map((unit, i) => ({
            at: unit.dts + lateMs * 90,
            name,
            origin,
            unit: i === 0 ? { ...unit, discontinuity: true } : unit,
          }));
        const frames = Math.ceil((plan.ms * 30) / 1000);
        const pictures = (id: number) => {
          serial += 1;
          const made = videoUnits({
            track: videoTrack(id, Uint8Array.of(serial)),
            frames,
            frameRate: 30,
            gop: plan.gop,
            startTicks: begins,
          });
          return made.map((unit): AccessUnit => {
            const changed = plan.changesAtMs.filter((ms) => unit.dts >= begins + ms * 90).length;
            if (changed === 0 || unit.track.kind !== "video") return unit;
            return { ...unit, track: { ...unit.track, config: Uint8Array.of(serial, changed) } };
          });
        };
        // One track object per configuration, and a keyframe with each.
        const interned = (units: AccessUnit[]) => {
          let last: AccessUnit["track"] | undefined;
          return units.map((unit): AccessUnit => {
            const same =
              last?.kind === "video" &&
              unit.track.kind === "video" &&
              String(last.config) === String(unit.track.config);
            const keyframe = unit.keyframe || !same;
            if (!same || last === undefined) last = unit.track;
            return { ...unit, track: last, keyframe };
          });
        };
        const arrivals = [
          ...(plan.straight ? from(interned(pictures(0)), 0, "source", "source") : []),
          ...(plan.made || !plan.straight ? from(interned(pictures(1)), plan.madeLateMs, "made", "transcode") : []),
          ...(plan.sound === "none"
            ? []
            : from(
                audioUnits({
                  track: aacTrackAt(48_000),
                  frames: Math.ceil((plan.ms * 48) / 1024),
                  startTicks: begins,
                }),
                plan.sound === "source" ? Math.min(plan.soundLateMs, 300) : Math.max(0, plan.soundLateMs),
                "audio",
                plan.sound,
              )),
        ].sort((a, b) => a.at - b.at);
        for (const { at, name, origin, unit } of arrivals) if (at <= ends) aligner.push(segmenter(name, origin), unit);
        if (plan.interrupts) {
          for (const [name, each] of segmenters) if (origins.get(name) === "source") each.flush();
        }
        for (const { at, name, origin, unit } of arrivals) {
          if (at > ends && at <= ends + plan.tailMs * 90 && origin === "transcode")
            aligner.push(segmenter(name, origin), unit);
        }
        if (plan.interrupts) aligner.flush();
        begins = ends + plan.gapMs * 90;
      }
      aligner.flush();
      const boundaries = [...recorders.values()]
        .flatMap((recorder) => recorder.boundaries)
        .sort((a, b) => a.index - b.index);
      expect(boundaries.map(({ index }) => index)).toEqual(boundaries.map((_, i) => i));
      for (const recorder of recorders.values()) {
        for (const segment of recorder.segments) expect(boundaries[segment.boundary.index]).toBe(segment.boundary);
        recorder.read();
      }
    }),
    { numRuns: 100 },
  );
});
