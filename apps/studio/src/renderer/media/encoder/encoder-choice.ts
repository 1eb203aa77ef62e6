import type { EncoderInUse } from "../compositor/compositor-statistics.ts";

/** What is encoded. */
export interface PictureShape {
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
}

/** Names of the browser's own encoders, as `Encoding.encoder` has them beside the engine's. */
export const BROWSER_HARDWARE = "browser_hardware";
export const BROWSER_SOFTWARE = "browser_software";

/** H.264 profiles, best first: High, Main, Constrained Baseline (profile_idc and constraint flags). */
const PROFILES = ["6400", "4d00", "42e0"];

/** Level, macroblocks a second, macroblocks a picture, kbit/s (ITU-T H.264 table A-1; Baseline's and Main's rates). */
const LEVELS: readonly (readonly [level: number, perSecond: number, perPicture: number, kilobits: number])[] = [
  [30, 40_500, 1_620, 10_000],
  [31, 108_000, 3_600, 14_000],
  [32, 216_000, 5_120, 20_000],
  [40, 245_760, 8_192, 20_000],
  [42, 522_240, 8_704, 50_000],
  [50, 589_824, 22_080, 135_000],
  [51, 983_040, 36_864, 240_000],
  [52, 2_073_600, 36_864, 240_000],
];

/** The lowest level that the picture fits, as level_idc. */
export function levelFor(shape: PictureShape, bitrate: number): number {
  const blocks = Math.ceil(shape.width / 16) * Math.ceil(shape.height / 16);
  const fits = LEVELS.find(
    ([, perSecond, perPicture, kilobits]) =>
      blocks <= perPicture && blocks * shape.frameRate <= perSecond && bitrate <= kilobits * 1000,
  );
  return fits?.[0] ?? 52;
}

/** An encoder of the browser that takes the picture, with the configuration it takes. */
export interface BrowserEncoder {
  readonly encoder: EncoderInUse;
  readonly config: VideoEncoderConfig;
}

/**
 * The browser's encoder for a picture; undefined where it has none for H.264. The hardware's first, then the CPU's.
 * @param name `auto`, or one of the browser's by name.
 * @param card what the graphics card calls itself.
 */
export async function chooseEncoder(
  name: string,
  shape: PictureShape,
  bitrate: number,
  card: string,
): Promise<BrowserEncoder | undefined> {
  if (typeof VideoEncoder === "undefined") return undefined;
  const kinds = [BROWSER_HARDWARE, BROWSER_SOFTWARE].filter((kind) => name === "auto" || name === kind);
  const level = levelFor(shape, bitrate).toString(16).padStart(2, "0");
  for (const kind of kinds) {
    const hardware = kind === BROWSER_HARDWARE;
    for (const profile of PROFILES) {
      const codec = `avc1.${profile}${level}`;
      const config: VideoEncoderConfig = {
        codec,
        width: shape.width,
        height: shape.height,
        framerate: shape.frameRate,
        bitrate,
        bitrateMode: "constant",
        // "prefer-hardware" is refused where there is none: so what is accepted is hardware.
        hardwareAcceleration: hardware ? "prefer-hardware" : "prefer-software",
        latencyMode: "realtime",
        avc: { format: "avc" },
      };
      const { supported } = await VideoEncoder.isConfigSupported(config);
      if (!supported) continue;
      return { encoder: { name: kind, hardware, label: hardware ? cardLabel(card) : "CPU", codec }, config };
    }
  }
  return undefined;
}

/** Who made the graphics card, for people. @param card as WebGL tells it, e.g. `ANGLE (NVIDIA, NVIDIA GeForce …)`. */
export function cardLabel(card: string): string {
  for (const [word, label] of [
    ["nvidia", "NVIDIA GPU"],
    ["apple", "Apple GPU"],
    ["intel", "Intel GPU"],
    ["amd", "AMD GPU"],
    ["radeon", "AMD GPU"],
    ["adreno", "Qualcomm GPU"],
    ["qualcomm", "Qualcomm GPU"],
  ] as const) {
    if (card.toLowerCase().includes(word)) return label;
  }
  return "GPU";
}

/** What the browser can encode with, for the settings: hardware first. Reads the card's name by a context of its own. */
export async function listBrowserEncoders(shape: PictureShape, bitrate: number): Promise<EncoderInUse[]> {
  const card = cardName();
  const found = await Promise.all(
    [BROWSER_HARDWARE, BROWSER_SOFTWARE].map((name) => chooseEncoder(name, shape, bitrate, card)),
  );
  return found.flatMap((choice) => (choice === undefined ? [] : [choice.encoder]));
}

/** What the graphics card calls itself; empty where it does not tell. Opens a context of its own for that. */
export function cardName(): string {
  const gl = new OffscreenCanvas(1, 1).getContext("webgl2");
  const info = gl?.getExtension("WEBGL_debug_renderer_info");
  const name = gl && info ? String(gl.getParameter(info.UNMASKED_RENDERER_WEBGL)) : "";
  gl?.getExtension("WEBGL_lose_context")?.loseContext();
  return name;
}
