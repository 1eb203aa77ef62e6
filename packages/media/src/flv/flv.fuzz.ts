import { readFileSync } from "node:fs";
import { defineFuzzTarget } from "@klieg/base/fuzz";
import { type AccessUnit, type MediaWarning, TICKS_PER_SECOND, type Track } from "../access-unit.ts";
import { MediaError } from "../media-error.ts";
import { FlvDemuxer } from "./flv-demuxer.ts";
import { FlvFileReader, type FlvTag, flvFileHeader, flvFileTag } from "./flv-file.ts";

const fixture = (name: string) => readFileSync(new URL(`../../fixtures/${name}.flv`, import.meta.url));

function tagsOf(file: Uint8Array): FlvTag[] {
  const tags: FlvTag[] = [];
  new FlvFileReader().push(file, (tag) => tags.push(tag));
  return tags;
}

/** The first tags of a fixture in a file of their own: small enough for mutations to hit what matters. */
function head(name: string, count: number): Uint8Array {
  const tags = tagsOf(fixture(name)).slice(0, count);
  return Buffer.concat([flvFileHeader({ audio: true, video: true }), ...tags.map(flvFileTag)]);
}

const ascii = (text: string) => [...Buffer.from(text, "latin1")];

/** Layouts that FFmpeg does not write. */
function madeBodies(): Uint8Array[] {
  return [
    Uint8Array.of(0x97, 2, 5, 0x16, 0x15, 0x03, ...ascii("hvc1"), 0, 0, 0, 2, 0x26, 1),
    Uint8Array.of(
      0x96,
      0x11,
      ...ascii("avc1"),
      0,
      0,
      0,
      9,
      0,
      0,
      0,
      0,
      0,
      0,
      2,
      0x65,
      1,
      1,
      0,
      0,
      9,
      0,
      0,
      0,
      0,
      0,
      0,
      2,
      0x65,
      2,
    ),
    Uint8Array.of(0x95, 0x21, ...ascii("Opus"), 0, 0, 0, 2, 0xfc, 0xff, ...ascii("mp4a"), 1, 0, 0, 2, 0x21, 9),
    Uint8Array.of(0x2e, 0xff, 0xfb, 0x90, 0, 1, 2, 3),
  ];
}

/** A stream with two tracks of each kind, up to its first frames. */
const ORDINARY = tagsOf(fixture("multitrack")).slice(0, 12);

const neverThrows = () => false;

export const fuzzTargets = [
  defineFuzzTarget({
    name: "flv-demuxer",
    corpus: () => [
      ...["hevc-opus", "av1-aac", "vp9", "multitrack"].map((name) => head(name, 12)),
      ...madeBodies().map((body) => flvFileTag({ kind: body[0] === 0x95 ? "audio" : "video", timestampMs: 40, body })),
    ],
    // The input is a sequence of tags, so that state is built up before what is broken comes; a demultiplexer that has
    // seen a stream must not throw, and must tell of every track before it uses it.
    run: (input, random) => {
      let bytes = 0;
      let told = 0;
      const known = new Set<Track>();
      const demuxer = new FlvDemuxer({
        onTrack: (track) => void known.add(track),
        onAccessUnit: (unit: AccessUnit) => {
          if (!known.has(unit.track)) throw new RangeError("access unit of a track that was not announced");
          if (unit.data.length === 0) throw new RangeError("empty access unit");
          if (!Number.isInteger(unit.dts) || Math.abs(unit.pts - unit.dts) > 2 ** 23 * 90)
            throw new RangeError("times");
          if (unit.dts < 0 || unit.dts > 2 ** 32 * 90 + 60 * TICKS_PER_SECOND) throw new RangeError("dts out of range");
          bytes += unit.data.length;
        },
        onWarning: (_warning: MediaWarning) => {
          told += 1;
        },
      });
      const push = ({ kind, timestampMs, body }: FlvTag) => {
        if (kind === "audio") demuxer.pushAudio(timestampMs, body);
        else demuxer.pushVideo(timestampMs, body);
      };
      try {
        new FlvFileReader(1 << 20).push(input, push);
      } catch (error) {
        if (!(error instanceof MediaError)) throw error;
        push({ kind: random.oneIn(2) ? "audio" : "video", timestampMs: random.u32(), body: input });
      }
      if (told > 6 * 16) throw new RangeError(`${told} warnings`);
      return bytes;
    },
    isExpectedError: neverThrows,
  }),
  defineFuzzTarget({
    name: "flv-body",
    corpus: () => [
      ...["hevc-opus", "av1-aac", "vp9", "multitrack"].flatMap((name) =>
        tagsOf(fixture(name))
          .slice(0, 12)
          .map(({ body }) => body),
      ),
      ...madeBodies(),
    ],
    // A body alone, to both doors, on a demultiplexer that knows an ordinary stream.
    run: (input) => {
      let bytes = 0;
      const demuxer = new FlvDemuxer({
        onTrack: () => undefined,
        onAccessUnit: ({ data }) => {
          bytes += data.length;
        },
      });
      for (const { kind, timestampMs, body } of ORDINARY) {
        if (kind === "video") demuxer.pushVideo(timestampMs, body);
        else if (kind === "audio") demuxer.pushAudio(timestampMs, body);
      }
      bytes = 0;
      demuxer.pushVideo(1000, input);
      demuxer.pushAudio(1000, input);
      return bytes;
    },
    isExpectedError: neverThrows,
  }),
  defineFuzzTarget({
    name: "flv-file",
    corpus: () => [head("multitrack", 12), head("av1-aac", 6)],
    run: (input, random) => {
      const reader = new FlvFileReader(1 << 20);
      let bytes = 0;
      for (let at = 0; at < input.length; ) {
        const end = Math.min(input.length, at + 1 + random.below(600));
        reader.push(input.subarray(at, end), ({ body }) => {
          bytes += body.length;
        });
        at = end;
      }
      return bytes + reader.heldBytes;
    },
    isExpectedError: (error) => error instanceof MediaError,
  }),
];
