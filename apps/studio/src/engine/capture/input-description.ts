/** What FFmpeg has found in an input, as far as it decides what is done with it. */
export interface InputDescription {
  readonly video: DescribedVideo | undefined;
  /** As FFmpeg names it; undefined where there is none. */
  readonly audioCodec: string | undefined;
}

export interface DescribedVideo {
  readonly codec: string;
  readonly pixelFormat: string;
  /** Of the coded picture, pixels. */
  readonly width: number;
  readonly height: number;
  /** Width of a pixel by its height. */
  readonly pixelAspect: number;
  readonly frameRate: number | undefined;
  readonly interlaced: boolean;
}

/** Longer lines are not FFmpeg's own. */
const MAX_LINE = 2000;

/**
 * Reads what FFmpeg says of its first input on standard error (`-loglevel level+info`), which every version from 4 on says alike.
 * Only the first picture and the first sound count, as `-map 0:V:0 -map 0:a:0` has them.
 */
export class InputDescriber {
  #rest = "";
  #inside = false;
  #video: DescribedVideo | undefined;
  #audioCodec: string | undefined;
  #done = false;

  /** @returns the description, once, when it is whole. */
  push(text: string): InputDescription | undefined {
    if (this.#done) return undefined;
    const lines = (this.#rest + text).split(/\r?\n/);
    this.#rest = (lines.pop() ?? "").slice(-MAX_LINE);
    for (const line of lines) {
      const words = line.replace(/^(?:\[\w+ @ 0x[0-9a-f]+\] )?\[info\] /, "");
      if (/^Input #0, /.test(words)) this.#inside = true;
      else if (this.#inside && /^(Input #1, |Stream mapping:|Output #0, |Press \[q\])/.test(words)) {
        this.#done = true;
        return { video: this.#video, audioCodec: this.#audioCodec };
      } else if (this.#inside && words.length <= MAX_LINE) this.#read(words);
    }
    return undefined;
  }

  #read(words: string): void {
    const [, kind, what = ""] = /^ +Stream #0:\d+[^ ]*: (Video|Audio): (.*)$/.exec(words) ?? [];
    const codec = /^[\w-]{1,40}/.exec(what)?.[0];
    if (codec === undefined || codec === "none") return;
    if (kind === "Audio") this.#audioCodec ??= codec;
    else if (!what.includes("(attached pic)")) this.#video ??= readVideo(codec, what);
  }
}

function readVideo(codec: string, what: string): DescribedVideo | undefined {
  const plain = what.replace(/\([^()]*\)/g, "");
  const [, width, height] = /, (\d{2,5})x(\d{2,5})/.exec(plain) ?? [];
  if (width === undefined || height === undefined) return undefined;
  const [, across, down] = /SAR (\d{1,5}):(\d{1,5})/.exec(what) ?? [];
  const pixelAspect = Number(across) > 0 && Number(down) > 0 ? Number(across) / Number(down) : 1;
  const rate = Number(/, ([\d.]{1,8}) fps/.exec(plain)?.[1]);
  return {
    codec,
    pixelFormat: plain.split(",")[1]?.trim() ?? "",
    width: Number(width),
    height: Number(height),
    pixelAspect,
    frameRate: rate > 0 ? rate : undefined,
    interlaced: /\b(top|bottom) (coded )?first\b/.test(what),
  };
}

/** Whether browsers decode the pictures as they are: 8-bit 4:2:0 H.264, whole pictures, square pixels. */
export function isTakenByBrowsers(video: DescribedVideo): boolean {
  const { codec, pixelFormat, interlaced, pixelAspect, width, height } = video;
  const plain = codec === "h264" && (pixelFormat === "yuv420p" || pixelFormat === "yuvj420p");
  return plain && !interlaced && Math.abs(pixelAspect - 1) < 0.01 && width <= 4096 && height <= 4096;
}
