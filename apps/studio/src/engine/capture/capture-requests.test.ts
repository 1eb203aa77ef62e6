import { systemClock } from "@klieg/base";
import { type FfmpegBinary, probeFfmpeg } from "@klieg/ffmpeg";
import { INSTALLED_FFMPEG } from "@klieg/ffmpeg/testing";
import { type CaptureStatus, KliegError, MAX_CAPTURES, type StudioRequestOf } from "@klieg/protocol";
import { expect, test, vi } from "vitest";
import { EncoderShelf } from "../encode/encoder-shelf.ts";
import type { EngineSession } from "../engine-session.ts";
import { EngineCaptures } from "./capture-requests.ts";

/** A page, as far as captures know one. */
function page(role: "stage" | "control" = "stage") {
  const told: CaptureStatus[] = [];
  const session = {
    role,
    open: true,
    behind: 0,
    sendMedia: () => undefined,
    tellCapture: (s: CaptureStatus) => told.push(s),
  };
  return { told, session: session as unknown as EngineSession };
}

function captures(ffmpeg: FfmpegBinary | undefined, password?: string) {
  const stores = {
    secrets: { get: async () => password },
    assets: { file: () => undefined },
  } as unknown as ConstructorParameters<typeof EngineCaptures>[0]["stores"];
  const shelf = new EncoderShelf({ ffmpeg, cores: 2 });
  return new EngineCaptures({ clock: systemClock, ffmpeg, shelf, stores });
}

function opening(
  capture: number,
  more: Partial<StudioRequestOf<"open_capture">> = {},
): StudioRequestOf<"open_capture"> {
  const stream = { kind: "stream", transport: "tcp", low_latency: true, hardware_decode: false } as const;
  const input = { ...stream, url: "rtsp://127.0.0.1:1/nobody" };
  return { id: 1, type: "open_capture", source_id: "camera", convert: false, capture, input, ...more };
}

async function codeOf(asked: unknown): Promise<string> {
  try {
    await asked;
  } catch (error) {
    return KliegError.from(error).code;
  }
  return "none";
}

test("STU1, SEC5: only the page on stage has captures, so many, and one of a number", async () => {
  const binary = (await probeFfmpeg(INSTALLED_FFMPEG, "installer", 10_000)) as FfmpegBinary;
  await using open = captures(binary);
  const { open_capture, close_capture } = open.handlers;
  const { session, told } = page();
  expect(await codeOf(open_capture(opening(0), page("control").session))).toBe("forbidden");
  const file = { kind: "file", asset_id: "gone", loop: false, hardware_decode: false } as const;
  expect(await codeOf(open_capture(opening(0, { input: file }), session))).toBe("not_found");
  await open_capture(opening(0), session);
  expect(await codeOf(open_capture(opening(0), session))).toBe("conflict");
  for (let number = 1; number < MAX_CAPTURES; number += 1) await open_capture(opening(number), session);
  expect(await codeOf(open_capture(opening(99), session))).toBe("rate_limited");
  await close_capture({ id: 2, type: "close_capture", capture: 5 }, session);
  expect(await codeOf(open_capture(opening(99), session))).toBe("none");
  await vi.waitFor(() => expect(told.some(({ problem }) => problem?.code === "unreachable")).toBe(true), {
    timeout: 5000,
  });
  open.pageGone(session);
});

test("STU1: without FFmpeg it is said what is missing", async () => {
  await using open = captures(undefined);
  expect(await codeOf(open.handlers.open_capture(opening(0), page().session))).toBe("not_supported");
  const listed = await open.handlers.list_capture_devices({ id: 1, type: "list_capture_devices" }, page().session);
  expect(listed).toEqual({ devices: [] });
});
