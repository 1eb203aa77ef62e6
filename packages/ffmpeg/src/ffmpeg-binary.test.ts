import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FfmpegBinary, findFfmpeg, isAtLeast } from "./ffmpeg-binary.ts";
import { fakeFfmpeg } from "./testing/fake-ffmpeg.ts";
import { INSTALLED_FFMPEG } from "./testing/footage.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "klieg-binary-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function program(name: string, body: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}

describe("TRN1: FFmpeg is found in the order KLIEG_FFMPEG, PATH, installed", () => {
  test("the configured one before the system's", async () => {
    await using fake = await fakeFfmpeg();
    const search = await findFfmpeg({ configured: INSTALLED_FFMPEG, searchPath: fake.folder });
    expect(search.binary).toMatchObject({ path: INSTALLED_FFMPEG, origin: "KLIEG_FFMPEG" });
    expect(search.rejected).toEqual([]);
  });

  test("the system's before the installed one, wherever on the PATH it is", async () => {
    await using fake = await fakeFfmpeg();
    const search = await findFfmpeg({ searchPath: ["", "/nowhere", fake.folder].join(delimiter) });
    expect(search.binary).toMatchObject({ path: fake.path, origin: "system" });
    expect(search.binary?.encoders.has("h264_qsv")).toBe(true);
  });

  test("the installed one where there is no other", async () => {
    const { binary, rejected } = await findFfmpeg({ searchPath: "" });
    expect(binary).toMatchObject({ path: INSTALLED_FFMPEG, origin: "installer" });
    expect(binary?.encoders.has("libx264")).toBe(true);
    expect(binary?.muxers.has("mpegts")).toBe(true);
    expect(binary?.decoders.has("hevc")).toBe(true);
    expect(rejected).toEqual([{ path: "ffmpeg", origin: "system", reason: "is not on the PATH" }]);
  });

  test("a configured name is looked for on the PATH; one that is not there is said and passed over", async () => {
    await using fake = await fakeFfmpeg();
    const found = await findFfmpeg({ configured: "ffmpeg", searchPath: fake.folder });
    expect(found.binary?.origin).toBe("KLIEG_FFMPEG");
    const missing = await findFfmpeg({ configured: "ffmpeg-9", searchPath: fake.folder });
    expect(missing.binary?.origin).toBe("system");
    expect(missing.rejected).toEqual([{ path: "ffmpeg-9", origin: "KLIEG_FFMPEG", reason: "is not on the PATH" }]);
  });

  test("one without what a transcode needs is passed over, with the reason", async () => {
    const poor = await program(
      "poor",
      `case "$*" in
        *-version*) echo "ffmpeg version 4.4.1 Copyright (c) 2000-2021 the FFmpeg developers" ;;
        *-encoders*) echo " A..... aac                  AAC" ;;
        *-decoders*) echo " VFS..D h264                 H.264" ;;
        *-muxers*) echo "  E mpegts          MPEG-TS" ;;
      esac`,
    );
    const { binary, rejected } = await findFfmpeg({ configured: poor, searchPath: "" });
    expect(binary?.origin).toBe("installer");
    expect(rejected[0]).toEqual({
      path: poor,
      origin: "KLIEG_FFMPEG",
      reason: "was built without libx264 or libopenh264",
    });
  });

  test.each([
    ["no-ffmpeg", "echo hello", "does not say that it is FFmpeg"],
    [
      "broken",
      "echo 'error while loading shared libraries' >&2; exit 127",
      "ended with code 127: error while loading shared libraries",
    ],
    ["crashing", "kill -SEGV $$", "died by SIGSEGV"],
    ["hanging", "exec sleep 60", "hung, and was killed after"],
  ])("%s is no FFmpeg, and does not stop the search", async (name, body, reason) => {
    const path = await program(name, body);
    const { binary, rejected } = await findFfmpeg({ configured: path, searchPath: "", timeoutMs: 1500 });
    expect(rejected[0]?.reason).toContain(reason);
    expect(binary?.origin).toBe("installer");
  });

  test("nothing is found where nothing is", async () => {
    const { binary, rejected } = await findFfmpeg({
      configured: join(folder, "gone"),
      searchPath: "",
      installer: false,
    });
    expect(binary).toBeUndefined();
    expect(rejected.map(({ origin }) => origin)).toEqual(["KLIEG_FFMPEG", "system"]);
    expect(rejected[0]?.reason).toContain("could not be started");
  });
});

test("releases are compared by number, builds between them by year", () => {
  const binary = (release: FfmpegBinary["release"], year: number) => ({ release, year }) as FfmpegBinary;
  expect(isAtLeast(binary([5, 1], 2022), 5, 1, 2021)).toBe(true);
  expect(isAtLeast(binary([7, 0], 2024), 5, 1, 2021)).toBe(true);
  expect(isAtLeast(binary([5, 0], 2022), 5, 1, 2021)).toBe(false);
  expect(isAtLeast(binary([4, 4], 2021), 5, 1, 2021)).toBe(false);
  expect(isAtLeast(binary(undefined, 2018), 5, 1, 2021)).toBe(false);
  expect(isAtLeast(binary(undefined, 2024), 5, 1, 2021)).toBe(true);
});
