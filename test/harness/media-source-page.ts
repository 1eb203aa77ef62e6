import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser } from "playwright-core";
import type { PackagedTrack } from "./cmaf-presentation.ts";

/** What a media element made of a presentation that was appended to it part by part. */
export interface MediaSourceReport {
  /** Of each source buffer, s. */
  readonly buffered: Readonly<Record<string, [number, number][]>>;
  /** Presentation times of the pictures that came to the screen, s. */
  readonly shown: readonly number[];
  readonly duration: number;
  readonly ended: boolean;
  readonly error: string | undefined;
}

/**
 * Appends the init segment and every part of `tracks` to a MediaSource in Chromium, each in an append of its own and
 * the tracks in turn, then plays what is there to its end at four times the speed.
 */
export async function playThroughMediaSource(
  browser: Browser,
  tracks: readonly PackagedTrack[],
): Promise<MediaSourceReport> {
  const files = new Map<string, Buffer>();
  const manifest = tracks.map(({ name, track, inits, parts }) => {
    const append = [...inits.slice(0, 1), ...parts].map((bytes, i) => {
      files.set(`/${name}/${i}`, bytes);
      return `/${name}/${i}`;
    });
    return { name, type: `${track?.kind}/mp4; codecs="${track?.codecString}"`, append };
  });
  const server = createServer((request, response) => {
    const bytes = files.get(request.url ?? "");
    response.setHeader("content-type", bytes === undefined ? "text/html" : "application/octet-stream");
    response.end(bytes ?? "<!doctype html><video muted></video>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const page = await browser.newPage();
  try {
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    return await page.evaluate(playParts, manifest);
  } finally {
    await page.close();
    server.close();
    server.closeAllConnections();
  }
}

/** Runs in the page. */
async function playParts(
  tracks: readonly { readonly name: string; readonly type: string; readonly append: readonly string[] }[],
): Promise<MediaSourceReport> {
  const video = document.querySelector("video") as HTMLVideoElement;
  const source = new MediaSource();
  video.src = URL.createObjectURL(source);
  const happens = (target: EventTarget, name: string) =>
    new Promise<void>((resolve) => target.addEventListener(name, () => resolve(), { once: true }));
  await happens(source, "sourceopen");
  const buffers = tracks.map(({ type }) => {
    if (!MediaSource.isTypeSupported(type)) throw new Error(`${type} is not supported`);
    return source.addSourceBuffer(type);
  });
  const longest = Math.max(...tracks.map(({ append }) => append.length));
  for (let i = 0; i < longest; i += 1) {
    for (const [t, track] of tracks.entries()) {
      const url = track.append[i];
      const buffer = buffers[t];
      if (url === undefined || buffer === undefined) continue;
      const bytes = await (await fetch(url)).arrayBuffer();
      const done = happens(buffer, "updateend");
      buffer.appendBuffer(bytes);
      await done;
    }
  }
  const buffered: Record<string, [number, number][]> = {};
  for (const [t, track] of tracks.entries()) {
    const ranges = buffers[t]?.buffered;
    buffered[track.name] = Array.from({ length: ranges?.length ?? 0 }, (_, i) => [
      (ranges as TimeRanges).start(i),
      (ranges as TimeRanges).end(i),
    ]);
  }
  source.endOfStream();
  const shown: number[] = [];
  if (tracks.some(({ type }) => type.startsWith("video"))) {
    const onFrame = (_now: number, frame: VideoFrameCallbackMetadata) => {
      shown.push(frame.mediaTime);
      video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback(onFrame);
  }
  video.currentTime = Math.max(...Object.values(buffered).map((ranges) => ranges[0]?.[0] ?? 0));
  video.playbackRate = 4;
  const ended = happens(video, "ended").then(() => true);
  const failed = happens(video, "error").then(() => false);
  const tooLong = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 20_000));
  await video.play();
  return {
    buffered,
    ended: await Promise.race([ended, failed, tooLong]),
    shown,
    duration: source.duration,
    error: video.error?.message,
  };
}
