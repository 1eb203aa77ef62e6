import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  PROGRAM_HEADER_BYTES,
  PROGRAM_KIND,
  type ProgramKind,
  readProgramFrame,
  writeProgramHeader,
} from "./studio-program.ts";

const kinds = Object.keys(PROGRAM_KIND) as ProgramKind[];

describe("a frame of the program (STU3)", () => {
  test("numbers its kinds without a gap, as the reader takes them", () => {
    expect(Object.values(PROGRAM_KIND)).toEqual(kinds.map((_, index) => index + 1));
  });

  test("is read as it was written", () => {
    const dimension = fc.integer({ min: 0, max: 0xffff });
    fc.assert(
      fc.property(
        fc.record({
          kind: fc.constantFrom(...kinds),
          keyframe: fc.boolean(),
          upload: dimension,
          isolated: dimension,
          width: dimension,
          height: dimension,
          sampleRate: fc.integer({ min: 0, max: 0xff_ffff }),
          channels: fc.integer({ min: 0, max: 255 }),
          timestamp: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
        }),
        fc.uint8Array({ minLength: 1, maxLength: 100 }),
        (frame, data) => {
          const message = new Uint8Array(PROGRAM_HEADER_BYTES + data.length);
          message.set(data, PROGRAM_HEADER_BYTES);
          writeProgramHeader(message, frame);
          const sound = ["pcm", "aac", "aac_config"].includes(frame.kind);
          const shape = sound ? { width: 0, height: 0 } : { sampleRate: 0, channels: 0 };
          const other = frame.kind === "asset" ? { isolated: 0 } : { upload: 0 };
          expect(readProgramFrame(message)).toEqual({ ...frame, ...shape, ...other, data: Uint8Array.from(data) });
        },
      ),
    );
  });

  test("is refused where it is none", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const frame = readProgramFrame(Uint8Array.from(bytes));
        if (frame === undefined) return;
        expect(bytes.length).toBeGreaterThan(PROGRAM_HEADER_BYTES);
        expect(frame.timestamp).toBeGreaterThanOrEqual(0);
      }),
    );
    expect(readProgramFrame(new Uint8Array(PROGRAM_HEADER_BYTES + 1))).toBeUndefined();
  });
});
