import { describe, expect, it } from "vitest";
import { Source } from "../../document/source.ts";
import { newDocument, StudioDocument } from "../../document/studio-document.ts";
import { numberIn } from "../shell/number-field.tsx";
import { dropIndex } from "../shell/use-reorder.ts";
import { transitionTo, transitionWords } from "../stage/transition-choice.tsx";
import { withSource } from "./add-source.ts";
import { cleanLabel } from "./add-source-dialog.tsx";
import { freeName, newSource } from "./new-source.ts";
import { isAddress } from "./stream-address.ts";
import { failureOf } from "./use-device-preview.ts";

const KINDS = ["camera", "screen", "microphone", "image", "text", "colour", "media_file", "stream", "guest"] as const;

describe("a new source (STU1)", () => {
  it("is one that a document takes, of every kind, within its canvas", () => {
    let document = newDocument("One");
    for (const kind of KINDS) {
      const source = newSource(document, kind);
      expect(Source.safeParse(source).error).toBeUndefined();
      document = withSource(document, source);
    }
    expect(StudioDocument.safeParse(document).error).toBeUndefined();
    expect(document.scenes[0]?.items).toHaveLength(KINDS.length);
    for (const { transform } of document.scenes[0]!.items) {
      expect(transform.x + transform.width / 2).toBeLessThanOrEqual(document.canvas.width);
      expect(transform.y + transform.height / 2).toBeLessThanOrEqual(document.canvas.height);
    }
  });

  it("fills the canvas where it is the first camera, and sits in a corner after that", () => {
    const first = withSource(newDocument("One"), newSource(newDocument("One"), "camera"));
    const second = withSource(first, newSource(first, "camera"));
    const [one, two] = second.scenes[0]!.items;
    expect(one?.transform).toMatchObject({ width: 1280, height: 720 });
    expect(two?.transform).toMatchObject({ width: 384, height: 216, fit: "cover" });
    // A microphone is nowhere to be seen, and takes no corner.
    const heard = withSource(second, newSource(second, "microphone"));
    const third = withSource(heard, newSource(heard, "guest"));
    const place = third.scenes[0]!.items[3]!.transform;
    expect([place.x, place.y < 360]).toEqual([two?.transform.x, true]);
  });

  it("has a name that no other has, and a seat that nobody has", () => {
    let document = newDocument("One");
    document = withSource(document, { ...newSource(document, "camera"), name: "Camera" });
    expect(freeName(document, "Camera")).toBe("Camera 2");
    document = withSource(document, newSource(document, "guest"));
    expect(newSource(document, "guest")).toMatchObject({ seat: 2, name: "Guest 2" });
  });

  it("is called what its device is, without the numbers behind it", () => {
    expect(cleanLabel("HD Webcam (046d:082d)")).toBe("HD Webcam");
    expect(cleanLabel("")).toBeUndefined();
  });

  it("takes addresses, and nothing that is none", () => {
    expect(["rtsp://camera.local/1", "srt://a:9000?mode=caller", "udp://@:5000"].map(isAddress)).toEqual([
      true,
      true,
      true,
    ]);
    expect(["", "rtsp://", "camera.local", "rtsp://a b"].map(isAddress)).toEqual([false, false, false, false]);
  });

  it("says why a device cannot be used, by what the browser threw", () => {
    const thrown = (name: string) => failureOf(new DOMException("words", name)).state;
    expect(thrown("NotAllowedError")).toBe("denied");
    expect(thrown("NotFoundError")).toBe("none");
    expect(thrown("NotReadableError")).toBe("in_use");
    expect(failureOf(new TypeError("odd"))).toEqual({ state: "failed", reason: "odd" });
  });
});

describe("controls", () => {
  it("knows where a row comes that is dropped", () => {
    expect([dropIndex(0, 2, "after"), dropIndex(0, 2, "before"), dropIndex(2, 0, "before")]).toEqual([2, 1, 0]);
    expect([dropIndex(1, 1, "before"), dropIndex(1, 1, "after")]).toEqual([1, 1]);
  });

  it("reads numbers as people write them", () => {
    expect(["12", " −3,5 ", ".5", "1.", "x", "", "1e9"].map(numberIn)).toEqual([
      12,
      -3.5,
      0.5,
      1,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("keeps the duration when the transition becomes another", () => {
    const slide = transitionTo("slide", { kind: "fade", duration: 700 });
    expect(slide).toEqual({ kind: "slide", duration: 700, from: "right" });
    expect(transitionTo("fade", { kind: "cut" })).toEqual({ kind: "fade", duration: 300 });
    expect([transitionWords(slide), transitionWords({ kind: "cut" })]).toEqual(["slide 700 ms", "cut"]);
  });
});
