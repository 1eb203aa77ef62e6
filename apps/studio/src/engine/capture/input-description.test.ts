import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { conversionRung } from "./capture-arguments.ts";
import { captureFailure, isFinal } from "./capture-failure.ts";
import { InputDescriber, isTakenByBrowsers } from "./input-description.ts";

const SAID = (...streams: string[]) =>
  `${[
    "[info] Input #0, rtsp, from 'rtsp://a':",
    "[info]   Metadata:",
    ...streams.map((line) => `[info]   ${line}`),
  ].join("\n")}\n[info] Stream mapping:\n[info]   Stream #0:0: Video: vp9, yuv420p, 1x1\n`;
const described = (...streams: string[]) => new InputDescriber().push(SAID(...streams));

describe("what FFmpeg says of an input (TRN3)", () => {
  test("H.264 with sound, as version 5 says it", () => {
    const found = described(
      "Stream #0:0: Video: h264 (Constrained Baseline), yuv420p(tv, smpte170m, progressive), 640x360 [SAR 1:1 DAR 16:9], 30 fps, 30 tbr, 90k tbn",
      "Stream #0:1: Audio: aac (LC), 44100 Hz, mono, fltp",
    );
    expect(found).toEqual({
      video: {
        codec: "h264",
        pixelFormat: "yuv420p",
        width: 640,
        height: 360,
        pixelAspect: 1,
        frameRate: 30,
        interlaced: false,
      },
      audioCodec: "aac",
    });
    const video = found?.video;
    expect(video !== undefined && isTakenByBrowsers(video)).toBe(true);
  });

  test.each([
    ["10-bit", "Video: h264 (High 10), yuv420p10le(tv, bt709, progressive), 1920x1080, 25 fps, 25 tbr"],
    ["4:2:2", "Video: h264 (High 4:2:2), yuv422p, 1920x1080 [SAR 1:1 DAR 16:9], 50 fps"],
    ["interlaced", "Video: h264 (High), yuv420p(tv, bt709, top first), 1920x1080 [SAR 1:1 DAR 16:9], 25 fps"],
    ["wide pixels", "Video: h264 (Main), yuv420p, 720x576 [SAR 64:45 DAR 16:9], 25 fps"],
    ["another codec", "Video: hevc (Main), yuv420p(tv), 3840x2160 [SAR 1:1 DAR 16:9], 59.94 fps"],
    ["raw pictures", "Video: rawvideo (YUY2 / 0x32595559), yuyv422, 1280x720, 147456 kb/s, 10 fps, 10 tbr"],
  ])("%s has to be converted", (_, line) => {
    const video = described(`Stream #0:0[0x100](eng): ${line}`)?.video;
    expect(video).toBeDefined();
    if (video !== undefined) expect(isTakenByBrowsers(video)).toBe(false);
  });

  test("is converted to what the page decodes at once: square pixels, no larger than 1080p, even", () => {
    const of = (line: string) => conversionRung(described(`Stream #0:0: ${line}`)?.video as never);
    expect(of("Video: h264 (Main), yuv420p, 720x576 [SAR 64:45 DAR 16:9], 25 fps")).toMatchObject({
      width: 1024,
      height: 576,
      frameRate: 25,
    });
    expect(of("Video: hevc (Main), yuv420p(tv), 3840x2160, 120 fps")).toMatchObject({
      width: 1920,
      height: 1080,
      frameRate: 60,
    });
    expect(of("Video: mjpeg (Baseline), yuvj422p(pc), 641x361, 90k tbr")).toMatchObject({
      width: 642,
      height: 362,
      frameRate: 30,
    });
  });

  test("covers of songs are no pictures, and what a title says is none of FFmpeg's words", () => {
    const found = described(
      "  title           : Stream #0:0: Video: vp8, yuv420p, 9x9",
      "Stream #0:0: Audio: mp3, 44100 Hz, stereo, fltp, 128 kb/s",
      "Stream #0:1: Video: mjpeg, yuvj420p(pc), 600x600 [SAR 1:1 DAR 1:1], 90k tbr, 90k tbn (attached pic)",
    );
    expect(found).toEqual({ video: undefined, audioCodec: "mp3" });
  });

  test("comes in pieces of any length, and only once", () => {
    const whole = SAID("Stream #0:0: Video: mjpeg, yuvj420p(pc), 320x240 [SAR 1:1 DAR 4:3], 25 fps");
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 20 }), (lengths) => {
        const describer = new InputDescriber();
        const found = [];
        let rest = whole + whole;
        for (const length of [...lengths, rest.length]) {
          const one = describer.push(rest.slice(0, length));
          if (one !== undefined) found.push(one);
          rest = rest.slice(length);
        }
        expect(found).toHaveLength(1);
        expect(found[0]?.video).toMatchObject({ codec: "mjpeg", width: 320, height: 240, frameRate: 25 });
      }),
    );
  });
});

describe("why a source did not open, in words (TRN3)", () => {
  test.each([
    ["rtsp://c:4010/x: Server returned 401 Unauthorized (authorization failed)", "unauthorized"],
    [
      "12:00:00.1/SRT:RcvQ:w1!W:SRT.cn: REJECT reported: Incorrect passphrase\nsrt://c:1: Input/output error",
      "unauthorized",
    ],
    ["rtsp://c:401/403: Connection refused", "unreachable"],
    ["rtsp://c/x: Server returned 404 Not Found", "not_found"],
    ["http://c/x: Server returned 403 Forbidden (access denied)", "forbidden"],
    ["Failed to resolve hostname c: Name or service not known\nhttp://c/x: Input/output error", "unreachable"],
    ["Cannot open video device /dev/video0: No such file or directory", "not_found"],
    ["ioctl(VIDIOC_STREAMON): Device or resource busy\n/dev/video0: Device or resource busy", "conflict"],
    ["/dev/video0: Permission denied", "forbidden"],
    ["Unknown input format: 'decklink'", "not_supported"],
    ["srt://c:1: Protocol not found", "not_supported"],
    ["x: Invalid data found when processing input", "media_unsupported"],
    ["Output file #0 does not contain any stream", "media_unsupported"],
    ["srt://c:1: Input/output error", "unreachable"],
    ["something odd", "unreachable"],
    ["", "unreachable"],
  ])("%s: %s", (words, code) => {
    expect(captureFailure(words).code).toBe(code);
  });

  test("what a user has to mend is not tried again by itself", () => {
    expect(isFinal(captureFailure("401 Unauthorized"))).toBe(true);
    expect(isFinal(captureFailure("Connection refused"))).toBe(false);
  });
});
