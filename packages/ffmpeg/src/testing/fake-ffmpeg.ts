import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { INSTALLED_FFMPEG } from "./footage.ts";

/**
 * What a fake FFmpeg does when it is to encode with its fake hardware, `h264_qsv`:
 * `works`: software does it instead; `fails`, `hangs`, `dies` (by a signal), `lies` (says it is done and made nothing),
 * `ignores` (makes no keyframes where they are asked for).
 */
export type FakeHardware = "works" | "fails" | "hangs" | "dies" | "lies" | "ignores";

export interface FakeFfmpegOptions {
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
  fails: `echo "[h264_qsv @ 0x55d0c8] [error] Error initializing an internal MFX session" >&2; exit 1`,
  // exec: the process that is killed must be the one that holds the pipes.
  hangs: "exec sleep 600",
  dies: "kill -SEGV $$",
  lies: "exit 0",
  ignores: "ignore=1",
};

function script(options: FakeFfmpegOptions): string {
  return `#!/bin/sh
${options.first ?? ""}
real='${options.real ?? INSTALLED_FFMPEG}'
ignore=
case " $* " in
  *" -encoders "*)
    "$real" "$@" || exit
    echo " V..... h264_qsv             H.264 (Intel Quick Sync Video acceleration)"
    exit ;;
  *" encoder=h264_qsv "*)
    echo "Encoder h264_qsv [H.264 (Intel Quick Sync Video acceleration)]:"
    exit ;;
  *" h264_qsv "*)
    case " $* " in
      *" lavfi "*) ${BEHAVIOUR[options.trial ?? "works"]} ;;
      *) ${BEHAVIOUR[options.transcode ?? "works"]} ;;
    esac ;;
esac
for word do
  shift
  case "$word" in
    h264_qsv) set -- "$@" libx264 -preset ultrafast -tune zerolatency -sc_threshold 0 -forced-idr 1 -x264-params fps=30 ;;
    expr:gte*) if [ "$ignore" ]; then set -- "$@" 0; else set -- "$@" "$word"; fi ;;
    *) set -- "$@" "$word" ;;
  esac
done
exec "$real" "$@"
`;
}
