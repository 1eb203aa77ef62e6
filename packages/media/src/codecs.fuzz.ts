import { readFileSync } from "node:fs";
import { defineFuzzTarget, type FuzzRandom } from "@klieg/base/fuzz";
import { aacSamplesPerFrame, aacTrack } from "./aac/aac-track.ts";
import { buildAdtsFrame, parseAdtsHeader } from "./aac/adts.ts";
import { AdtsFramer } from "./aac/adts-framer.ts";
import { parseAudioSpecificConfig } from "./aac/audio-specific-config.ts";
import type { VideoTrack } from "./access-unit.ts";
import { Av1ElementaryStream } from "./av1/av1-elementary-stream.ts";
import { av1TrackFromConfig } from "./av1/av1-track.ts";
import type { CodedFrame } from "./coded-frame.ts";
import { FlvDemuxer } from "./flv/flv-demuxer.ts";
import { FlvFileReader } from "./flv/flv-file.ts";
import { h264ElementaryStream } from "./h264/h264-elementary-stream.ts";
import { h264TrackFromConfig } from "./h264/h264-track.ts";
import { hevcElementaryStream } from "./hevc/hevc-elementary-stream.ts";
import { hevcTrackFromConfig } from "./hevc/hevc-track.ts";
import { MediaError } from "./media-error.ts";
import { parseMp3Header } from "./mp3/mp3-header.ts";
import type { NalElementaryStream } from "./nal/nal-elementary-stream.ts";
import { lengthPrefixedToAnnexB, splitLengthPrefixed } from "./nal/nal-format.ts";
import { opusTrack, parseDops, parseOpusHead } from "./opus/opus-config.ts";
import { opusPacketSamples } from "./opus/opus-packet.ts";
import { MediaLog } from "./testing/media-log.ts";
import { parseVp9FrameHead } from "./vp9/frame-header.ts";
import { Vp9ElementaryStream } from "./vp9/vp9-elementary-stream.ts";

const isExpectedError = (error: unknown) => error instanceof MediaError;

/** Tracks and access units of the fixtures: real bytes of every codec. */
function material(): MediaLog {
  const log = new MediaLog();
  for (const name of ["multitrack", "av1-aac", "vp9"]) {
    const demuxer = new FlvDemuxer(log);
    new FlvFileReader().push(readFileSync(new URL(`../fixtures/${name}.flv`, import.meta.url)), (tag) => {
      if (tag.kind === "video") demuxer.pushVideo(tag.timestampMs, tag.body);
      else if (tag.kind === "audio") demuxer.pushAudio(tag.timestampMs, tag.body);
    });
  }
  return log;
}

const configs = (codec: string) =>
  material()
    .tracks.filter((track) => track.codec === codec)
    .map((track) => track.config);

const units = (codec: string) =>
  material()
    .units.filter((unit) => unit.track.codec === codec)
    .slice(0, 8)
    .map((unit) => unit.data);

const [H264_RECORD = new Uint8Array(0)] = configs("h264");
const [HEVC_RECORD = new Uint8Array(0)] = configs("hevc");

/** What must hold of a track whatever bytes described it. */
function check(track: VideoTrack): number {
  if (track.width < 1 || track.height < 1 || track.width > 70_000 || track.height > 70_000) {
    throw new RangeError(`a picture of ${track.width}x${track.height}`);
  }
  if (!/^[a-z0-9]{4}\.[0-9A-Za-z.]{5,40}$/.test(track.codecString))
    throw new RangeError(`codec string ${track.codecString}`);
  const rate = track.frameRate;
  if (rate !== undefined && !(rate > 0 && rate <= 300)) throw new RangeError(`${rate} frames a second`);
  return track.config.length;
}

/** Feeds records and access units of a stream that goes on after each error, as demultiplexers do. */
function feedNal(stream: NalElementaryStream, record: Uint8Array, input: Uint8Array, random: FuzzRandom): number {
  stream.configure(record);
  let bytes = 0;
  for (let i = 0; i < 3; i += 1) {
    bytes += survive(() => {
      const choice = random.below(3);
      if (choice === 0) {
        stream.configure(input);
        return 0;
      }
      const sync = random.oneIn(2);
      const frame = choice === 1 ? stream.pushAnnexB(input, sync) : stream.pushLengthPrefixed(input, sync);
      // Whatever came in, what comes out has whole NAL units with 4-byte lengths.
      splitLengthPrefixed(frame.data);
      return frame.data.length;
    });
  }
  return bytes + (stream.track === undefined ? 0 : check(stream.track));
}

function survive(run: () => number): number {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    return 0;
  }
}

function feedFrames(
  stream: {
    readonly track: VideoTrack | undefined;
    configure(record: Uint8Array): boolean;
    push(data: Uint8Array): CodedFrame;
  },
  input: Uint8Array,
  random: FuzzRandom,
): number {
  let bytes = 0;
  for (let i = 0; i < 3; i += 1) {
    bytes += survive(() => (random.oneIn(3) ? Number(stream.configure(input)) : stream.push(input).data.length));
  }
  return bytes + (stream.track === undefined ? 0 : check(stream.track));
}

export const fuzzTargets = [
  defineFuzzTarget({
    name: "h264-config",
    corpus: () => configs("h264"),
    run: (input) => check(h264TrackFromConfig(0, input)),
    isExpectedError,
  }),
  defineFuzzTarget({
    name: "h264-elementary-stream",
    corpus: () => [...units("h264"), ...units("h264").map((unit) => lengthPrefixedToAnnexB(unit)), ...configs("h264")],
    run: (input, random) => feedNal(h264ElementaryStream(0), H264_RECORD, input, random),
    isExpectedError,
  }),
  defineFuzzTarget({
    name: "hevc-config",
    corpus: () => configs("hevc"),
    run: (input) => check(hevcTrackFromConfig(0, input)),
    isExpectedError,
  }),
  defineFuzzTarget({
    name: "hevc-elementary-stream",
    corpus: () => [...units("hevc"), ...units("hevc").map((unit) => lengthPrefixedToAnnexB(unit)), ...configs("hevc")],
    run: (input, random) => feedNal(hevcElementaryStream(0), HEVC_RECORD, input, random),
    isExpectedError,
  }),
  defineFuzzTarget({
    name: "av1-config",
    corpus: () => configs("av1"),
    run: (input) => check(av1TrackFromConfig(0, input)),
    isExpectedError,
  }),
  defineFuzzTarget({
    name: "av1-elementary-stream",
    corpus: () => [...units("av1"), ...configs("av1")],
    run: (input, random) => feedFrames(new Av1ElementaryStream(0), input, random),
    isExpectedError,
  }),
  defineFuzzTarget({
    name: "vp9-elementary-stream",
    corpus: () => [...units("vp9"), ...configs("vp9")],
    run: (input, random) => {
      survive(() => Number(parseVp9FrameHead(input).keyframe));
      return feedFrames(new Vp9ElementaryStream(0), input, random);
    },
    isExpectedError,
  }),
  defineFuzzTarget({
    name: "aac-config",
    corpus: () => [
      ...configs("aac"),
      ...["2b920800", "139056e5a0", "eb8a0800", "138856e5a54880", "1194", "f8e85000"].map(hex),
    ],
    run: (input) => {
      const samples = aacSamplesPerFrame(parseAudioSpecificConfig(input));
      if (!(samples > 0 && samples < 2 ** 26)) throw new RangeError(`${samples} samples a frame`);
      const track = aacTrack(0, input);
      if (track.channels < 1 || track.channels > 128) throw new RangeError(`${track.channels} channels`);
      return track.config.length;
    },
    isExpectedError,
  }),
  defineFuzzTarget({
    name: "adts-framer",
    corpus: () => [
      Buffer.concat(
        units("aac").map((unit) => buildAdtsFrame({ objectType: 2, sampleRate: 44100, channelConfig: 1 }, unit)),
      ),
    ],
    run: (input, random) => {
      const framer = new AdtsFramer();
      let bytes = 0;
      for (let at = 0; at < input.length; ) {
        const end = Math.min(input.length, at + 1 + random.below(400));
        framer.push(input.subarray(at, end), ({ data }) => {
          bytes += data.length;
        });
        at = end;
      }
      if (bytes > input.length) throw new RangeError("more came out than went in");
      parseAdtsHeader(input);
      return bytes;
    },
    isExpectedError,
  }),
  defineFuzzTarget({
    name: "opus",
    corpus: () => [
      ...configs("opus"),
      ...units("opus"),
      Buffer.from("OpusHead\x01\x06\x38\x01\x80\xbb\0\0\0\0\x01\x04\x02\0\x04\x01\x02\x03\x05", "latin1"),
    ],
    run: (input) => {
      survive(() => opusTrack(0, parseDops(input)).config.length);
      survive(() => opusTrack(0, parseOpusHead(input)).config.length);
      const samples = opusPacketSamples(input);
      if (samples < 120 || samples > 5760) throw new RangeError(`${samples} samples`);
      return 0;
    },
    isExpectedError,
  }),
  defineFuzzTarget({
    name: "mp3-header",
    corpus: () => ["fffb9000", "fff38064", "ffe318c4", "fffd8404"].map(hex),
    run: (input) => {
      const header = parseMp3Header(input);
      if (header !== undefined && (header.frameBytes < 0 || header.frameBytes > 8192))
        throw new RangeError("frame size");
      return 0;
    },
    isExpectedError,
  }),
];

function hex(text: string): Uint8Array {
  return Buffer.from(text, "hex");
}
