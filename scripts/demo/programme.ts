import { existsSync } from "node:fs";
import { CLOCK_STRIP } from "./clock-strip.ts";

/** What the demo broadcasts. */
export interface Programme {
  /** Pixels, both even. */
  readonly width: number;
  readonly height: number;
  /** Frames a second. */
  readonly frameRate: number;
  /** Words below the clock. */
  readonly caption: string;
}

const INK = "0xF6F3EE";
const LAMP = "0xFFB84A";

/** First of these typefaces that the machine has; the names are what FFmpeg asks the system for where it has none. */
const SANS = {
  name: "sans-serif",
  files: [
    "/usr/share/fonts/opentype/inter/Inter-SemiBold.otf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/System/Library/Fonts/Helvetica.ttc",
    "C:/Windows/Fonts/segoeui.ttf",
  ],
};
const MONO = {
  name: "monospace",
  files: [
    "/usr/share/fonts/truetype/jetbrains-mono/JetBrainsMono-Medium.ttf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf",
    "/System/Library/Fonts/Menlo.ttc",
    "C:/Windows/Fonts/consola.ttf",
  ],
};

/**
 * FFmpeg's arguments for two inputs, in real time, and a filter graph with the outputs `[picture]` and `[tone]`. The
 * picture: a lamp that drifts over a dark stage, a clock (UTC, ms) large enough to read in a small rendition, the
 * clock strip, and a line that is swept once a second, on whose beginning the sound ticks.
 */
export function programmeArguments(programme: Programme): string[] {
  const { width, height, frameRate } = programme;
  return [
    ...["-re", "-f", "lavfi", "-i", `color=c=black:s=64x36:r=${frameRate}`],
    ...["-re", "-f", "lavfi", "-i", "sine=frequency=220:sample_rate=48000:samples_per_frame=1024"],
    ...["-filter_complex", `${picture(width, height, frameRate, programme.caption)};${tone()}`],
  ];
}

function picture(width: number, height: number, frameRate: number, caption: string): string {
  const even = (value: number) => Math.round(value / 2) * 2;
  // Sizes are given for a picture of 1280x720.
  const px = (size: number) => Math.max(1, Math.round((size * Math.min(width, (height * 16) / 9)) / 1280));
  const margin = px(80);
  const line = { y: Math.round(height * 0.7), length: width - 2 * margin, thickness: px(4), runner: px(90) };
  const strip = {
    x: Math.round(width * CLOCK_STRIP.left),
    y: Math.round(height * CLOCK_STRIP.top),
    width: Math.round(width * CLOCK_STRIP.width),
    height: even(height * CLOCK_STRIP.height),
  };
  return [
    // The stage is soft: worked out at 64x36 and scaled up, it costs next to nothing.
    `[0:v]format=yuv420p,${stage()},scale=${width}:${height}:flags=bicubic,vignette=PI/6,noise=c0s=3:c0f=t,` +
      `drawbox=x=${margin}:y=${line.y}:w=${line.length}:h=${line.thickness}:color=${INK}@0.16:t=fill[stage]`,
    `color=c=${LAMP}:s=${line.runner}x${line.thickness}:r=${frameRate}[runner]`,
    `[stage][runner]overlay=eval=frame:x='${margin}+mod(t,1)*${line.length - line.runner}':y=${line.y}[swept]`,
    // From here on a frame's time is the wall clock's at the moment at which it was made.
    "[swept]settb=1/1000,setpts=RTCTIME/1000,split[timed][clock]",
    `[clock]scale=${CLOCK_STRIP.bits}:2,format=yuv444p,${stripCells()},scale=${strip.width}:${strip.height}:flags=neighbor[strip]`,
    `[timed][strip]overlay=x=${strip.x}:y=${strip.y}[marked]`,
    `[marked]${[
      text(SANS, "●", px(30), `${LAMP}`, `${margin}`, `${px(92)}`),
      text(SANS, "Klieg", px(46), INK, `${margin + px(32)}`, `${px(82)}`),
      text(SANS, "UTC", px(28), `${INK}@0.6`, "(w-tw)/2", `${Math.round(height * 0.29)}`),
      clockText(px(128), Math.round(height * 0.37)),
      text(SANS, caption, px(26), `${INK}@0.7`, `${margin}`, `${line.y + px(28)}`),
    ].join(",")},settb=1/${frameRate * 1000},setpts=N*1000,format=yuv420p[picture]`,
  ].join(";");
}

/** A warm lamp, a ribbon of light that it throws, and a cool one behind: functions of place and time. */
function stage(): string {
  const lamp = "exp(-(pow((X/W-.5-.34*sin(T*.23))/.2,2)+pow((Y/H-.42-.14*cos(T*.31))/.27,2)))";
  const warm = "exp(-pow((Y/H-.58-.14*sin(X/W*5.8+T*.55)-.08*sin(X/W*12.8-T*.8))/.15,2))*(.6+.4*sin(X/W*7-T*.4))";
  const cool = "exp(-pow((Y/H-.3-.2*sin(X/W*3.1-T*.37)-.06*sin(X/W*9+T*.6))/.2,2))*(.5+.5*sin(X/W*4+T*.5))";
  const luma = `20+56*${warm}+18*${cool}+120*${lamp}`;
  return `geq=lum='${luma}':cb='126-16*${warm}+8*${cool}-34*${lamp}':cr='131+13*${warm}-2*${cool}+24*${lamp}'`;
}

/** Half a ms is added because a frame's time in seconds is not exact. */
const MILLISECONDS = "floor(T*1000+0.5)";

function stripCells(): string {
  const isLight = `mod(floor(${MILLISECONDS}/pow(2,${CLOCK_STRIP.bits - 1}-X))+Y,2)`;
  return `geq=lum='if(${isLight},205,38)':cb='if(${isLight},96,126)':cr='if(${isLight},146,131)'`;
}

function clockText(size: number, y: number): string {
  const part = (expression: string, digits: number) => `%{eif\\:${expression}\\:d\\:${digits}}`;
  const time = [
    part("mod(floor(t/3600),24)", 2),
    part("mod(floor(t/60),60)", 2),
    `${part("mod(floor(t),60)", 2)}.${part("mod(floor(t*1000+0.5),1000)", 3)}`,
  ].join("\\:");
  return drawText(MONO, time, size, INK, "(w-tw)/2", `${y}`);
}

/** Literal words: what means something to drawtext's own expansion is escaped. */
function text(face: typeof SANS, words: string, size: number, color: string, x: string, y: string): string {
  return drawText(face, words.replace(/[\\':%]/g, " "), size, color, x, y);
}

function drawText(face: typeof SANS, content: string, size: number, color: string, x: string, y: string): string {
  const file = face.files.find((candidate) => existsSync(candidate));
  const font = file === undefined ? `font=${face.name}` : `fontfile='${file.replaceAll(":", "\\:")}'`;
  return `drawtext=${font}:text='${content}':fontsize=${size}:fontcolor=${color}:x=${x}:y=${y}`;
}

/** A soft open chord that swells and ebbs, with a tick at the beginning of each second. */
function tone(): string {
  const voices = [277.18, 329.63, 440].map(
    (frequency, index) => `sine=frequency=${frequency}:sample_rate=48000:samples_per_frame=1024[voice${index}]`,
  );
  const mix = "[1:a][voice0][voice1][voice2]amix=inputs=4:duration=first,tremolo=f=0.14:d=0.5,volume=2.4[chord]";
  const tick = "aevalsrc=exprs='0.25*sin(2*PI*1320*t)*exp(-60*mod(t,1))':sample_rate=48000:nb_samples=1024[tick]";
  const out = "[chord][tick]amix=inputs=2:duration=first,aformat=sample_fmts=fltp:channel_layouts=stereo[tone]";
  return [...voices, mix, tick, out].join(";");
}
