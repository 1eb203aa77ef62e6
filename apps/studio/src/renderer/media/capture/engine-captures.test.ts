import {
  type CaptureStatus,
  KliegError,
  type StudioEvent,
  type StudioRequestInput,
  writeCaptureFrame,
} from "@klieg/protocol";
import { expect, test } from "vitest";
import { type CaptureLink, EngineCaptures } from "./engine-captures.ts";

/** A link to an engine that opens everything but addresses of nobody. */
class Link {
  readonly asked: [string, number][] = [];
  readonly state = { state: "open" };
  media: (message: Uint8Array<ArrayBuffer>) => void = () => undefined;
  event: (event: StudioEvent) => void = () => undefined;
  follow: (state: { readonly state: string }) => void = () => undefined;

  get captures(): EngineCaptures {
    const held = { [Symbol.dispose]: () => undefined };
    const link: Pick<CaptureLink, "onEvent" | "onMedia" | "onState"> = {
      onEvent: (listener) => {
        this.event = listener;
        return held;
      },
      onMedia: (listener) => {
        this.media = listener;
        return held;
      },
      onState: (listener) => {
        this.follow = listener;
        return held;
      },
    };
    const request = async (type: string, input: StudioRequestInput<"open_capture">) => {
      this.asked.push([type, input.capture]);
      if (input.input?.kind === "stream" && input.input.url === "nobody:") throw new KliegError("bad_request", "no");
      return {};
    };
    return new EngineCaptures({ ...link, state: this.state, request } as unknown as CaptureLink);
  }
}

const request = (url: string) => ({
  source_id: "camera",
  convert: false,
  input: { kind: "stream", url, transport: "auto", low_latency: true, hardware_decode: true } as const,
});
const STATUS: Omit<CaptureStatus, "capture"> = {
  state: "live",
  problem: null,
  next_attempt_at: null,
  video: null,
  audio: null,
  dropped_frames: 0,
};

/** Keeps what it is told, by name. */
function sink() {
  const told: string[] = [];
  return {
    told,
    status: ({ state }: CaptureStatus) => void told.push(state),
    frame: ({ kind }: { kind: string }) => void told.push(kind),
    refused: ({ code }: KliegError) => void told.push(code),
    lost: () => void told.push("lost"),
  };
}

test("STU1: what the engine captures reaches whoever asked for it, and nobody else", () => {
  const link = new Link();
  using captures = link.captures;
  const [one, other] = [sink(), sink()];
  captures.open(request("rtsp://a"), one);
  const opened = captures.open(request("rtsp://b"), other);
  link.event({ event: "capture", status: { ...STATUS, capture: 0 } });
  const frame = { kind: "avc", keyframe: true, reordering: 0, timestamp: 0, data: Uint8Array.of(1) } as const;
  link.media(writeCaptureFrame({ ...frame, capture: 1 }));
  link.media(Uint8Array.of(9, 9));
  opened[Symbol.dispose]();
  link.media(writeCaptureFrame({ ...frame, capture: 1 }));
  expect([one.told, other.told]).toEqual([["live"], ["avc"]]);
  expect(link.asked).toEqual([
    ["open_capture", 0],
    ["open_capture", 1],
    ["close_capture", 1],
  ]);
});

test("STU1: an engine that was gone is asked again, and a refusal is told", async () => {
  const link = new Link();
  using captures = link.captures;
  const one = sink();
  captures.open(request("rtsp://a"), one);
  link.follow({ state: "lost" });
  link.follow({ state: "connecting" });
  const meanwhile = sink();
  captures.open(request("nobody:"), meanwhile);
  expect(link.asked).toHaveLength(1);
  link.follow({ state: "open" });
  await Promise.resolve();
  await Promise.resolve();
  expect(link.asked.slice(1)).toEqual([
    ["open_capture", 0],
    ["open_capture", 1],
  ]);
  expect([one.told, meanwhile.told]).toEqual([["lost"], ["bad_request"]]);
});
