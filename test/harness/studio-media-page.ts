import {
  type ErrorCode,
  KliegError,
  PROGRAM_HEADER_BYTES,
  type ProgramFrame,
  readProgramFrame,
  type StudioEvent,
} from "@klieg/protocol";
import type { StudioDocument } from "../../apps/studio/src/document/studio-document.ts";
import { programClock } from "../../apps/studio/src/renderer/media/program-clock.ts";
import { StudioMedia } from "../../apps/studio/src/renderer/media/studio-media.ts";

/** What answers requests, where a test has put something there. */
interface EngineOfTests {
  engine(type: string, input: unknown): Promise<{ answer?: unknown; refusal?: ErrorCode }>;
}

/**
 * The page of {@link StudioMediaTab}: the studio's media as they are, without the interface about them. The link keeps what
 * an engine would have been sent, and the mixer is a silent track.
 */
const context = new AudioContext({ sampleRate: 48_000 });
const silence = context.createMediaStreamDestination();
const [programTrack] = silence.stream.getAudioTracks();
if (programTrack === undefined) throw new Error("a destination has a track");

const received: Uint8Array<ArrayBuffer>[] = [];
const sounds = new Map<string, MediaStreamTrack>();
const listeners = new Set<(event: StudioEvent) => void>();
const link = { buffered: 0 };

const media = new StudioMedia({
  clock: programClock(),
  assetUrl: (path) => `/assets/${path}`,
  link: {
    request: async (type, input) => {
      const { answer, refusal } = await (globalThis as unknown as EngineOfTests).engine(type, input);
      if (refusal !== undefined) throw new KliegError(refusal, "refused");
      return answer as never;
    },
    sendMedia: (message) => void received.push(message),
    get buffered() {
      return link.buffered;
    },
    onMedia: () => ({ [Symbol.dispose]: () => undefined }),
    state: { state: "open" },
    onState: () => ({ [Symbol.dispose]: () => undefined }),
    onEvent: (listener) => {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
  },
  mixer: {
    update: () => undefined,
    setTrack: (id, track) => void (track === undefined ? sounds.delete(id) : sounds.set(id, track)),
    programTrack,
    onSamples: () => ({ [Symbol.dispose]: () => undefined }),
    tap: () => ({ [Symbol.dispose]: () => undefined }),
  },
});

let frames: ReadableStreamDefaultReader<VideoFrame> | undefined;

/** What tests call. */
const page = {
  media,
  link,
  sounds,
  emit: (event: StudioEvent) => {
    for (const listener of listeners) listener(event);
  },
  update: (document: StudioDocument) => media.update(document),

  /** The next picture of the program, as WebRTC would send it: RGB at each of the points, and its timestamp, µs. */
  async pixels(points: readonly (readonly [number, number])[]): Promise<{ timestamp: number; pixels: number[][] }> {
    frames ??= new MediaStreamTrackProcessor({
      track: media.compositor.programTrack() as MediaStreamVideoTrack,
      maxBufferSize: 1,
    }).readable.getReader();
    const { value: frame } = await frames.read();
    if (frame === undefined) throw new Error("the program's track has ended");
    try {
      const { matrix, fullRange } = frame.colorSpace;
      if (frame.format !== "I420" || matrix !== "bt709" || fullRange !== false) {
        throw new Error(`the program is ${frame.format}, ${matrix}, full range ${fullRange}`);
      }
      const bytes = new Uint8Array(frame.allocationSize());
      const planes = await frame.copyTo(bytes);
      const at = (plane: number, x: number, y: number) => {
        const { offset, stride } = planes[plane] ?? { offset: 0, stride: 0 };
        return bytes[offset + y * stride + x] ?? 0;
      };
      const pixels = points.map(([x, y]) => {
        const luma = (at(0, x, y) - 16) / 219;
        const [cb, cr] = [(at(1, x >> 1, y >> 1) - 128) / 224, (at(2, x >> 1, y >> 1) - 128) / 224];
        const rgb = [luma + 1.5748 * cr, luma - 0.1873 * cb - 0.4681 * cr, luma + 1.8556 * cb];
        return rgb.map((value) => Math.round(255 * Math.max(0, Math.min(1, value))));
      });
      return { timestamp: frame.timestamp, pixels };
    } finally {
      frame.close();
    }
  },

  /** Pixels of a canvas that something is shown in. */
  canvasPixels(canvas: HTMLCanvasElement, points: readonly (readonly [number, number])[]): number[][] {
    const copy = new OffscreenCanvas(canvas.width, canvas.height);
    const context = copy.getContext("2d");
    context?.drawImage(canvas, 0, 0);
    return points.map(([x, y]) => [...(context?.getImageData(x, y, 1, 1).data ?? [])]);
  },

  /** What the engine would have: each message's header, oldest first. */
  messages() {
    return received.map((message) => {
      const { data: _, ...header } = frameOf(message);
      return { ...header, size: message.length - PROGRAM_HEADER_BYTES };
    });
  },

  /** The data of messages of a kind, base64, and the whole list emptied. */
  takeMessages() {
    return received.splice(0).map((message) => {
      const frame = frameOf(message);
      return {
        kind: frame.kind,
        keyframe: frame.keyframe,
        timestamp: frame.timestamp,
        width: frame.width,
        height: frame.height,
        data: btoa(Array.from(frame.data, (byte) => String.fromCharCode(byte)).join("")),
      };
    });
  },
};
export type StudioMediaPage = typeof page;

function frameOf(message: Uint8Array<ArrayBuffer>): ProgramFrame {
  const frame = readProgramFrame(message);
  if (frame === undefined) throw new Error("a message that the engine would refuse");
  return frame;
}

(globalThis as unknown as { studio: StudioMediaPage }).studio = page;
console.info("ready");
