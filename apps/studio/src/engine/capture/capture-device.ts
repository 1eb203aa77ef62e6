import { readdir, readFile } from "node:fs/promises";
import { type FfmpegBinary, runFfmpeg } from "@klieg/ffmpeg";
import type { CaptureDevice } from "@klieg/protocol";

/** More are not listed. */
const MAX_DEVICES = 64;
const LIST_MS = 8000;

/** Capture cards and cameras of this machine that FFmpeg can open. One that only a driver's owner knows can be typed. */
export async function captureDevices(
  ffmpeg: FfmpegBinary,
  platform: NodeJS.Platform = process.platform,
): Promise<CaptureDevice[]> {
  const lists = await Promise.all([
    platform === "linux" ? videoFourLinux() : [],
    platform === "win32" ? listed(ffmpeg, "dshow", "dummy", directShowDevices) : [],
    platform === "darwin" ? listed(ffmpeg, "avfoundation", "", avFoundationDevices) : [],
    listed(ffmpeg, "decklink", "dummy", deckLinkDevices),
  ]);
  return lists.flat().slice(0, MAX_DEVICES);
}

/** By the kernel's own list: nothing has to be opened for it, which a device in use would not like. */
async function videoFourLinux(root = "/sys/class/video4linux"): Promise<CaptureDevice[]> {
  let names: string[];
  try {
    names = await readdir(root);
  } catch {
    return []; // No driver has been loaded.
  }
  const nodes = names
    .filter((name) => /^video\d{1,3}$/.test(name))
    .toSorted((a, b) => a.localeCompare(b, "en", { numeric: true }));
  return await Promise.all(
    nodes.map(async (node) => {
      const label = await readFile(`${root}/${node}/name`, "utf8").catch(() => "");
      return { url: `v4l2:/dev/${node}`, name: `${label.trim().slice(0, 180) || "Video device"} (${node})` };
    }),
  );
}

/** What a part of FFmpeg lists; it ends with an error after that, as nothing was opened. */
async function listed(
  { path }: FfmpegBinary,
  format: string,
  input: string,
  read: (text: string) => CaptureDevice[],
): Promise<CaptureDevice[]> {
  const args = ["-hide_banner", "-nostdin", "-f", format, "-list_devices", "true", "-i", input];
  const run = await runFfmpeg(path, args, LIST_MS);
  return run.outcome === "not_started" ? [] : read(run.stderr);
}

/** `[dshow @ …] "Cam Link 4K" (video)`; before FFmpeg 5 a heading said of which kind those below it are. */
export function directShowDevices(text: string): CaptureDevice[] {
  const devices: CaptureDevice[] = [];
  let kind = "";
  for (const line of text.split(/\r?\n/)) {
    kind = /DirectShow (video|audio) devices/.exec(line)?.[1] ?? kind;
    const [, name, own] = /\] +"([^"]{1,200})"(?: \((video|audio|none)\))?$/.exec(line) ?? [];
    if (name !== undefined && !name.startsWith("@device") && (own ?? kind) === "video") {
      devices.push({ url: `dshow:video=${name}`, name });
    }
  }
  return devices;
}

/** `[AVFoundation indev @ …] [0] FaceTime HD Camera` below a heading. */
export function avFoundationDevices(text: string): CaptureDevice[] {
  const devices: CaptureDevice[] = [];
  let video = false;
  for (const line of text.split(/\r?\n/)) {
    const kind = /AVFoundation (video|audio) devices/.exec(line)?.[1];
    if (kind !== undefined) video = kind === "video";
    const [, number, name] = /\] \[(\d{1,3})\] (.{1,200})$/.exec(line) ?? [];
    if (video && number !== undefined && name !== undefined) devices.push({ url: `avfoundation:${number}`, name });
  }
  return devices;
}

/** `[decklink @ …] 	'DeckLink Mini Recorder'`. */
export function deckLinkDevices(text: string): CaptureDevice[] {
  return [...text.matchAll(/\[decklink @ [^\]]*\]\s+'([^'?"]{1,200})'/g)].map(([, name = ""]) => ({
    url: `decklink:${name}`,
    name,
  }));
}
