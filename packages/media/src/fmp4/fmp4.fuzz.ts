import { defineFuzzTarget } from "@klieg/base/fuzz";
import { MediaError } from "../media-error.ts";
import { aacTrackAt } from "../segmenter/testing/synthetic-track.ts";
import { chunk } from "./chunk.ts";
import { readFragments } from "./fragment.ts";
import { initSegment } from "./init-segment.ts";
import { readMovie } from "./movie.ts";

const opus = {
  kind: "audio" as const,
  id: 0,
  codec: "opus" as const,
  config: Uint8Array.of(0, 2, 1, 56, 0, 0, 187, 128, 0, 0, 0),
  codecString: "opus",
  sampleRate: 48_000,
  channels: 2,
};

function file(track: typeof opus | ReturnType<typeof aacTrackAt>): Uint8Array {
  const samples = [1, 2, 3].map((n) => ({
    duration: 1000 + n,
    compositionOffset: 0,
    keyframe: n !== 2,
    data: new Uint8Array(n),
  }));
  const media = chunk({ sequence: 1, baseDecodeTime: 2 ** 40, samples, segmentType: true });
  return Buffer.concat([initSegment(track), ...media, ...chunk({ sequence: 2, baseDecodeTime: 1, samples })]);
}

export const fuzzTargets = [
  defineFuzzTarget({
    name: "fmp4-file",
    corpus: () => [file(opus), file(aacTrackAt(48_000)), file(aacTrackAt(44_100)).subarray(0, 500)],
    run: (input) => {
      const movie = readMovie(input);
      let bytes = 0;
      for (const fragment of readFragments(input, movie)) bytes += fragment.samples.length * 64;
      return bytes;
    },
    isExpectedError: (error) => error instanceof MediaError,
    // Samples without bytes cost nothing in a file; a run may have 65 536 of them.
    maxOutputBytes: (inputBytes) => (1 + inputBytes / 60) * 65_536 * 64,
  }),
];
