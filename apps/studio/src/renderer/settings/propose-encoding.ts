import type { Canvas } from "../../document/canvas.ts";
import type { PictureShape } from "../media/encoder/encoder-choice.ts";
import type { Measured } from "./encoder-measure.ts";

/** A picture and how to encode it. */
export interface Proposal {
  readonly encoder: string;
  readonly label: string;
  readonly hardware: boolean;
  readonly width: number;
  readonly height: number;
  readonly frameRate: Canvas["frame_rate"];
  /** bits/s. */
  readonly videoBitrate: number;
}

/** What is tried, the best first, with the bitrate that looks good at it. */
export const SHAPES: readonly (PictureShape & {
  readonly frameRate: Canvas["frame_rate"];
  readonly bitrate: number;
})[] = [
  { width: 1920, height: 1080, frameRate: 60, bitrate: 7_500_000 },
  { width: 1920, height: 1080, frameRate: 30, bitrate: 6_000_000 },
  { width: 1280, height: 720, frameRate: 60, bitrate: 5_500_000 },
  { width: 1280, height: 720, frameRate: 30, bitrate: 4_000_000 },
  { width: 960, height: 540, frameRate: 30, bitrate: 2_500_000 },
  { width: 640, height: 360, frameRate: 30, bitrate: 1_200_000 },
];

/** A GPU's encoder does nothing else; on the CPU the rest of the studio wants its share, as multiples of real time. */
export const ENOUGH = { hardware: 1.5, software: 2.5 };

export function isEnough({ hardware, speed }: Pick<Measured, "hardware" | "speed">): boolean {
  return speed >= (hardware ? ENOUGH.hardware : ENOUGH.software);
}

/** A picture may have so much less than the bitrate that looks good; with less again a smaller one looks better. */
const LEAST_SHARE = 0.6;
/** No picture is worth sending with less, bits/s. */
const LEAST_BITRATE = 300_000;

/**
 * The best picture that some encoder makes with room to spare, and that the network takes; a GPU before the CPU. Where none
 * has room, the smallest picture with the fastest encoder.
 * @param room bits/s that the network has for the picture; infinite where that is not known.
 * @returns undefined where nothing encodes at all.
 */
export function proposeEncoding(measured: readonly Measured[], room = Number.POSITIVE_INFINITY): Proposal | undefined {
  const working = measured.filter(({ speed }) => speed > 0);
  const byWorth = (one: Measured, other: Measured) =>
    Number(other.hardware) - Number(one.hardware) || other.speed - one.speed;
  for (const shape of SHAPES) {
    if (room < shape.bitrate * LEAST_SHARE) continue;
    // What has room for a larger picture has room for this one, too.
    const fits = (one: Measured) => isEnough(one) && atLeast(one.shape, shape);
    const best = working.filter(fits).sort(byWorth)[0];
    if (best !== undefined) return proposal(best, shape, room);
  }
  const smallest = SHAPES.at(-1);
  const fastest = working.toSorted((one, other) => other.speed - one.speed)[0];
  return fastest === undefined || smallest === undefined ? undefined : proposal(fastest, smallest, room);
}

function atLeast(one: PictureShape, other: PictureShape): boolean {
  return one.width * one.height >= other.width * other.height && one.frameRate >= other.frameRate;
}

function proposal({ encoder, label, hardware }: Measured, shape: (typeof SHAPES)[number], room: number): Proposal {
  const { width, height, frameRate, bitrate } = shape;
  const videoBitrate = Math.max(LEAST_BITRATE, Math.min(bitrate, Math.floor(room / 100_000) * 100_000));
  return { encoder, label, hardware, width, height, frameRate, videoBitrate };
}
