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

/**
 * The best picture that some encoder makes with room to spare; a GPU before the CPU. Where none has room, the smallest
 * picture with the fastest encoder.
 * @returns undefined where nothing encodes at all.
 */
export function proposeEncoding(measured: readonly Measured[]): Proposal | undefined {
  const working = measured.filter(({ speed }) => speed > 0);
  const byWorth = (one: Measured, other: Measured) =>
    Number(other.hardware) - Number(one.hardware) || other.speed - one.speed;
  for (const shape of SHAPES) {
    const best = working.filter((one) => sameShape(one.shape, shape) && isEnough(one)).sort(byWorth)[0];
    if (best !== undefined) return proposal(best, shape);
  }
  const smallest = SHAPES.at(-1);
  const fastest = working.toSorted((one, other) => other.speed - one.speed)[0];
  return fastest === undefined || smallest === undefined ? undefined : proposal(fastest, smallest);
}

/** Whether two canvases are of one shape. */
export function sameShape(one: PictureShape, other: PictureShape): boolean {
  return one.width === other.width && one.height === other.height && one.frameRate === other.frameRate;
}

function proposal({ encoder, label, hardware }: Measured, shape: (typeof SHAPES)[number]): Proposal {
  const { width, height, frameRate, bitrate } = shape;
  return { encoder, label, hardware, width, height, frameRate, videoBitrate: bitrate };
}
