import { type CaptureInput, KliegError } from "@klieg/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fileInput, streamInput, withoutSecrets } from "./stream-address.ts";

type StreamInput = Extract<CaptureInput, { kind: "stream" }>;

const stream = (url: string, more: Partial<StreamInput> = {}): StreamInput => ({
  kind: "stream",
  url,
  transport: "auto",
  low_latency: true,
  hardware_decode: false,
  ...more,
});
const after = (args: readonly string[], option: string) => args[args.indexOf(option) + 1];

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return KliegError.from(error).code;
  }
  return "none";
}

describe("what FFmpeg is given to open (STU1, TRN3)", () => {
  test("an address leads to protocols of the network alone", () => {
    for (const url of [
      "rtsp://camera/1",
      "srt://a:9000",
      "http://camera/mjpeg",
      "https://a/live.m3u8",
      "rtmp://a/b/c",
    ]) {
      const { args } = streamInput(stream(url), undefined);
      expect(after(args, "-i")).toBe(url);
      expect(after(args, "-protocol_whitelist")?.split(",")).not.toContain("file");
    }
  });

  test.each([
    "file:///etc/passwd",
    "/etc/passwd",
    "concat:a|b",
    "subfile:,,start,0,end,9,,:/etc/passwd",
    "pipe:0",
    "data:text/plain,x",
    "lavfi:testsrc",
    "rtsp://",
    "rtsp://camera /x",
    "-i",
    "v4l2:/etc/passwd",
    "v4l2:/dev/video0?timestamps=default",
    "v4l2:/dev/video0?framerate=-1",
    'dshow:video="x',
    "constructor://a/b",
    "",
  ])("%s is not opened", (url) => {
    expect(codeOf(() => streamInput(stream(url), undefined))).toBe("bad_request");
  });

  test("whatever is typed is refused, or is one argument behind -i", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), fc.constantFrom("rtsp://", "v4l2:", "http://", ""), (text, begin) => {
        const url = begin + text;
        try {
          const { args } = streamInput(stream(url), undefined);
          expect(args.filter((arg) => arg === "-i")).toHaveLength(1);
          expect(args.at(-2)).toBe("-i");
        } catch (error) {
          expect(error).toMatchObject({ code: "bad_request" });
        }
      }),
    );
  });

  test("a password goes where its protocol has it, and is not repeated in words", () => {
    const camera = streamInput(stream("rtsp://admin@camera:554/live?a=b"), "se:cret@1");
    expect(after(camera.args, "-i")).toBe("rtsp://admin:se%3Acret%401@camera:554/live?a=b");
    expect(withoutSecrets("rtsp://admin:se%3Acret%401@camera:554/live: 401 (se:cret@1)", camera)).toBe(
      "rtsp://admin:•••@camera:554/live: 401 (•••)",
    );
    const srt = streamInput(stream("srt://a:9000?mode=caller"), "0123456789");
    expect(after(srt.args, "-passphrase")).toBe("0123456789");
    expect(after(srt.args, "-i")).toBe("srt://a:9000?mode=caller");
    expect(after(streamInput(stream("rtsp://camera/live"), "x").args, "-i")).toBe("rtsp://:x@camera/live");
    const typed = streamInput(stream("http://u:hidden@camera/"), undefined);
    expect(withoutSecrets("http://u:hidden@camera/: refused", typed)).toBe("http://u:•••@camera/: refused");
  });

  test("RTSP comes by the way that was chosen", () => {
    expect(streamInput(stream("rtsp://a"), undefined).args).toEqual(
      expect.arrayContaining(["-rtsp_flags", "prefer_tcp"]),
    );
    expect(after(streamInput(stream("rtsp://a", { transport: "udp" }), undefined).args, "-rtsp_transport")).toBe("udp");
  });

  test("a device is opened by its own part of FFmpeg, with what is asked of it", () => {
    const { args } = streamInput(
      stream("v4l2:/dev/video2?framerate=30&video_size=1280x720&input_format=mjpeg"),
      undefined,
    );
    const at = args.indexOf("-f");
    const asked = ["-framerate", "30", "-video_size", "1280x720", "-input_format", "mjpeg"];
    expect(args.slice(at)).toEqual(["-f", "v4l2", ...asked, "-i", "/dev/video2"]);
    expect(after(streamInput(stream("decklink:DeckLink Mini Recorder"), undefined).args, "-i")).toBe(
      "DeckLink Mini Recorder",
    );
    expect(after(streamInput(stream("dshow:video=Cam Link 4K:audio=Line"), undefined).args, "-i")).toBe(
      "video=Cam Link 4K:audio=Line",
    );
  });

  test("a file of the show is read at its own pace, and leads to no other", () => {
    const { args, isFile } = fileInput("/data/assets/abc", { loop: true, hardwareDecode: false });
    expect(isFile).toBe(true);
    expect(after(args, "-stream_loop")).toBe("-1");
    expect(after(args, "-protocol_whitelist")).toBe("file");
    expect(after(args, "-format_whitelist")?.split(",")).not.toEqual(expect.arrayContaining(["hls"]));
    expect(after(args, "-format_whitelist")?.split(",")).not.toEqual(expect.arrayContaining(["concat"]));
    expect(args).toContain("-re");
  });
});
