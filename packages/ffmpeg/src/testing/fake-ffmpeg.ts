import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VideoEncoderName } from "../video-encoder.ts";
import { INSTALLED_FFMPEG } from "./footage.ts";

/**
 * What a fake FFmpeg does when it is to encode with its fake hardware:
 * `works`: software does it instead; `fails`, `hangs`, `dies` (by a signal), `lies` (says it is done and made nothing),
 * `ignores` (makes no keyframes where they are asked for); `hangs_later`, `dies_later`: works for `laterBytes` of its input
 * first.
 */
export type FakeHardware = "works" | "fails" | "hangs" | "dies" | "lies" | "ignores" | "hangs_later" | "dies_later";

export interface FakeFfmpegOptions {
  /** The encoder that it has. Default `h264_qsv`. */
  readonly hardware?: VideoEncoderName;
  /** Default 500 000. */
  readonly laterBytes?: number;
  /** In a test encode. Default `works`. */
  readonly trial?: FakeHardware;
  /** In a transcode. Default `works`. */
  readonly transcode?: FakeHardware;
  /** FFmpeg that does the work. Default the installed one. */
  readonly real?: string;
  /** Shell that runs before anything else. */
  readonly first?: string;
}

/** A program that answers as FFmpeg would on a machine with a graphics card; all else it leaves to a real FFmpeg. */
export interface FakeFfmpeg extends AsyncDisposable {
  readonly path: string;
  /** Its folder, as a search path. */
  readonly folder: string;
}

export async function fakeFfmpeg(options: FakeFfmpegOptions = {}): Promise<FakeFfmpeg> {
  const folder = await mkdtemp(join(tmpdir(), "klieg-fake-ffmpeg-"));
  const path = join(folder, "ffmpeg");
  await writeFile(path, script(options));
  await chmod(path, 0o755);
  return { path, folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}

const BEHAVIOUR: Record<FakeHardware, string> = {
  works: ":",
  fails: `echo "[$name @ 0x55d0c8] [error] Error initializing an internal MFX session" >&2; exit 1`,
  // exec: the process that is killed must be the one that holds the pipes.
  hangs: "exec sleep 600",
  dies: "kill -SEGV $$",
  lies: "exit 0",
  ignores: "ignore=1",
  hangs_later: "later=hang",
  dies_later: "later=die",
};

/** Private options that ours gives without asking first whether they are there. */
const HELP: Readonly<Partial<Record<VideoEncoderName, string>>> = {
  h264_nvenc: "  -preset            <int>        E..V....... Set the encoding preset (from 0 to 18) (default p4)",
};

function script(options: FakeFfmpegOptions): string {
  const { hardware = "h264_qsv", laterBytes = 500_000 } = options;
  return `#!/bin/sh
name=${hardware}
later=
${options.first ?? ""}
real='${options.real ?? INSTALLED_FFMPEG}'
ignore=
case " $* " in
  *" -encoders "*)
    "$real" "$@" || exit
    echo " V..... $name             H.264 (faked)"
    exit ;;
  *" encoder=$name "*)
    echo "Encoder $name [H.264 (faked)]:"
    echo "${HELP[hardware] ?? ""}"
    exit ;;
  *" $name "*)
    case " $* " in
      *" lavfi "*) ${BEHAVIOUR[options.trial ?? "works"]} ;;
      *) ${BEHAVIOUR[options.transcode ?? "works"]} ;;
    esac ;;
esac
skip=
for word do
  shift
  # Devices that are not there, and what names them.
  if [ "$skip" ]; then skip=; continue; fi
  case "$word" in
    -init_hw_device|-filter_hw_device) skip=1 ;;
    *hwupload*) set -- "$@" "$(echo "$word" | sed s/hwupload/null/g)" ;;
    llhq) set -- "$@" ultrafast ;;
    "$name") set -- "$@" libx264 -preset ultrafast -tune zerolatency -sc_threshold 0 -forced-idr 1 -x264-params fps=30 ;;
    expr:gte*) if [ "$ignore" ]; then set -- "$@" 0; else set -- "$@" "$word"; fi ;;
    *) set -- "$@" "$word" ;;
  esac
done
case "$later" in
  hang) head -c ${laterBytes} | "$real" "$@"; exec sleep 600 ;;
  die) head -c ${laterBytes} | "$real" "$@"; kill -SEGV $$ ;;
esac
exec "$real" "$@"
`;
}
