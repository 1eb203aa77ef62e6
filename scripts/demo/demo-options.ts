import { parseArgs } from "node:util";

/** What `npm run demo -- …` was asked to do. */
export interface DemoOptions {
  readonly protocol: "rtmp" | "srt";
  /** Stream key; undefined: the one that the local backend made at its first start. */
  readonly key: string | undefined;
  /** Server to publish to, without the key; undefined: the local backend. */
  readonly url: URL | undefined;
  /** Data folder of the local backend; undefined: KLIEG_DATA_DIR, else `.klieg`. */
  readonly dataDir: string | undefined;
  /** Seconds; undefined: until it is interrupted. */
  readonly durationS: number | undefined;
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  /** Video, bits/s. */
  readonly bitrate: number;
}

export const DEMO_USAGE = `npm run demo -- [options]: broadcasts a moving picture with a clock, and a tone.

  --srt               by SRT instead of RTMP
  --key KEY           stream key (default: the local backend's first one)
  --url URL           server: rtmp://HOST[:PORT]/live or srt://HOST:PORT (default: the local backend)
  --data-dir FOLDER   data folder of the local backend (default: KLIEG_DATA_DIR, else .klieg)
  --duration SECONDS  how long (default: until Ctrl-C)
  --size WxH          picture size (default: 1280x720)
  --fps N             frames a second (default: 30)
  --bitrate KBIT      video, kbit/s (default: by size and frame rate)
`;

/** Bits for each pixel of each frame: the picture is soft, and its noise and clock are all that is hard to code. */
const BITS_PER_PIXEL = 0.11;
const GOOD_FRAME_RATES = { min: 1, max: 120 };

/** @throws {Error} in words for whoever typed the command; undefined where they asked for help. */
export function parseDemoOptions(args: readonly string[]): DemoOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      srt: { type: "boolean", default: false },
      rtmp: { type: "boolean", default: false },
      key: { type: "string" },
      url: { type: "string" },
      "data-dir": { type: "string" },
      duration: { type: "string" },
      size: { type: "string", default: "1280x720" },
      fps: { type: "string", default: "30" },
      bitrate: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return undefined;
  const size = /^(\d{2,4})x(\d{2,4})$/.exec(values.size);
  const [width, height] = [Number(size?.[1]), Number(size?.[2])];
  if (size === null || width % 2 === 1 || height % 2 === 1 || width < 160 || height < 90) {
    throw new Error(`--size ${values.size}: two even numbers of at least 160x90 are wanted, such as 1920x1080`);
  }
  const frameRate = numberOf("--fps", values.fps, GOOD_FRAME_RATES.min, GOOD_FRAME_RATES.max);
  const url = values.url === undefined ? undefined : serverOf(values.url);
  const protocol = url === undefined ? (values.srt ? "srt" : "rtmp") : url.protocol === "srt:" ? "srt" : "rtmp";
  if (url !== undefined && (values.srt || values.rtmp) && (protocol === "srt") !== values.srt) {
    throw new Error("--url and the protocol that was asked for contradict each other");
  }
  return {
    protocol,
    key: values.key,
    url,
    dataDir: values["data-dir"],
    durationS: values.duration === undefined ? undefined : numberOf("--duration", values.duration, 1, 1e7),
    width,
    height,
    frameRate,
    bitrate:
      values.bitrate === undefined
        ? Math.round((width * height * frameRate * BITS_PER_PIXEL) / 1000) * 1000
        : numberOf("--bitrate", values.bitrate, 50, 100_000) * 1000,
  };
}

function numberOf(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!/^\d+([.]\d+)?$/.test(text) || value < min || value > max) {
    throw new Error(`${name} ${text}: a number from ${min} to ${max} is wanted`);
  }
  return value;
}

function serverOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^(rtmps?|srt):$/.test(url.protocol) || url.hostname === "") {
    throw new Error(`--url ${text}: an address such as rtmp://HOST/live or srt://HOST:9000 is wanted`);
  }
  if (url.protocol === "srt:" && url.port === "") throw new Error(`--url ${text}: SRT needs a port`);
  return url;
}
