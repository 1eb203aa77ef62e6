import type { Rung } from "@klieg/ffmpeg";
import type { AudioTrack, VideoTrack } from "@klieg/media";
import { fitLadder, type RungSpec } from "./ladder.ts";
import { ladderCost } from "./ladder-choice.ts";
import type { CoreReservation, TranscodeEngine } from "./transcode-engine.ts";
import { canDecode } from "./transcode-plan.ts";
import type { RunPlan } from "./transcode-run.ts";

/**
 * What WebRTC viewers are sent of a source that cannot go to them as it is, highest first: the first that the machine has
 * room for. All viewers get the same, so it has to suit an ordinary connection.
 */
const REALTIME_RUNGS: readonly RungSpec[] = [
  { shortSide: 720, bitrate: 4_000_000 },
  { shortSide: 540, bitrate: 2_500_000 },
  { shortSide: 360, bitrate: 1_200_000 },
];
/** Somebody who comes in has a picture within this time, and somebody who has lost one. */
const KEYFRAME_SECONDS = 1;
/** Delay counts for more than bits. */
const PRESET = "superfast";
const OPUS_RATE = 48_000;
const OPUS_BITRATE_PER_CHANNEL = 64_000;

/** The sizes that a source can be made in for WebRTC, highest first, never larger than it is. */
export function realtimeRungs(track: VideoTrack, frameRate: number): Rung[] {
  const source = { width: track.width, height: track.height, frameRate };
  const short = Math.min(track.width, track.height);
  return REALTIME_RUNGS.flatMap(({ shortSide, bitrate }, i) => {
    if (short > shortSide) {
      const [rung] = fitLadder([{ shortSide, bitrate }], { ...source, playable: true });
      return rung === undefined ? [] : [rung];
    }
    const above = REALTIME_RUNGS[i + 1];
    // Its own size, once: with the bit rate of the lowest rung that is not below it.
    if (above !== undefined && short <= above.shortSide) return [];
    const [rung] = fitLadder([{ shortSide: short, bitrate }], { ...source, playable: false });
    return rung === undefined ? [] : [rung];
  });
}

/**
 * Decides how a video track is made into what WebRTC viewers take.
 * @param shed so many of the highest sizes have proved too much for the machine.
 * @param reservation where what it costs is set aside.
 * @returns undefined where the machine cannot do it.
 */
export function planRealtimeVideo(
  engine: TranscodeEngine,
  reservation: CoreReservation,
  source: { readonly track: VideoTrack; readonly frameRate: number },
  shed: number,
): RunPlan | undefined {
  const { binary, encoder } = engine;
  const { track, frameRate } = source;
  if (binary === undefined || encoder === undefined || !canDecode(binary, track.codec)) return undefined;
  const rungs = realtimeRungs(track, frameRate);
  const { width, height, codec } = track;
  const capacity = { pixelsPerCoreSecond: engine.pixelsPerCoreSecond, hardware: encoder.hardware };
  const costOf = (rung: Rung) =>
    ladderCost([rung], { width, height, frameRate, codec, playable: false }, capacity, PRESET);
  const left = rungs.slice(Math.min(shed, rungs.length - 1));
  // Somebody watches: where there is room for nothing, the smallest is made all the same.
  const rung = left.find((candidate) => costOf(candidate) <= reservation.available) ?? left.at(-1);
  if (rung === undefined) return undefined;
  reservation.take(costOf(rung));
  return {
    video: { track, frameRate, rungs: [rung], encoder, preset: PRESET },
    audio: undefined,
    keyframeSeconds: KEYFRAME_SECONDS,
    realtime: true,
  };
}

/** Decides how an audio track is made into Opus; undefined where the machine's FFmpeg cannot. */
export function planRealtimeAudio(engine: TranscodeEngine, track: AudioTrack): RunPlan | undefined {
  const { binary } = engine;
  if (binary === undefined || !binary.encoders.has("libopus")) return undefined;
  const channels = Math.min(track.channels, 2);
  return {
    video: undefined,
    audio: {
      track,
      codec: "opus",
      channels,
      sampleRate: OPUS_RATE,
      bitrate: channels * OPUS_BITRATE_PER_CHANNEL,
    },
    realtime: true,
  };
}
