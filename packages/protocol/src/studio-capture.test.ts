import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CAPTURE_HEADER_BYTES,
  CAPTURE_KIND,
  type CaptureKind,
  readCaptureFrame,
  writeCaptureFrame,
} from "./studio-capture.ts";

const kinds = Object.keys(CAPTURE_KIND) as CaptureKind[];

describe("a frame of a stream source (STU1, TRN3)", () => {
  test("numbers its kinds without a gap, as the reader takes them", () => {
    expect(Object.values(CAPTURE_KIND)).toEqual(kinds.map((_, index) => index + 1));
  });

  test("is read as it was written", () => {
    const frames = fc.record({
      kind: fc.constantFrom(...kinds),
      keyframe: fc.boolean(),
      capture: fc.integer({ min: 0, max: 0xffff }),
      reordering: fc.integer({ min: 0, max: 0xffff_ffff }),
      timestamp: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
      data: fc.uint8Array({ minLength: 1, maxLength: 100 }).map((bytes) => Uint8Array.from(bytes)),
    });
    fc.assert(fc.property(frames, (frame) => void expect(readCaptureFrame(writeCaptureFrame(frame))).toEqual(frame)));
  });

  test("is refused where it is none", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const frame = readCaptureFrame(Uint8Array.from(bytes));
        if (frame === undefined) return;
        expect(bytes.length).toBeGreaterThan(CAPTURE_HEADER_BYTES);
        expect(frame.timestamp).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
