import { ManualClock } from "@klieg/base";
import { defineFuzzTarget } from "@klieg/base/fuzz";
import { makeFootage } from "@klieg/ffmpeg/testing";
import type { AccessUnit } from "@klieg/media";
import {
  KliegError,
  PROGRAM_HEADER_BYTES,
  PROGRAM_KIND,
  type ProgramKind,
  readProgramFrame,
  STUDIO_ANSWERS,
  STUDIO_PROTOCOL,
  writeProgramHeader,
} from "@klieg/protocol";
import { newDocument } from "../document/studio-document.ts";
import { EncoderShelf } from "./encode/encoder-shelf.ts";
import { EngineSession } from "./engine-session.ts";
import { ProgramFeed } from "./program/program-feed.ts";

const REQUESTS: readonly object[] = [
  { type: "hello", protocol: STUDIO_PROTOCOL, role: "stage" },
  { type: "save_show", document: newDocument("Scene") },
  { type: "change_settings", settings: { theme: "light", keys: { take: "Control+Enter" } } },
  { type: "set_secret", holder: "a1", kind: "stream_key", secret: "sk_1" },
  { type: "begin_asset", name: "a.png", media_type: "image/png", size: 100 },
  { type: "check_backend", url: "http://localhost:8080" },
  { type: "test_encoder", encoder: "auto", width: 1280, height: 720, frame_rate: 30 },
  { type: "test_upload", destination_id: "a1" },
  { type: "start_broadcast", title: "A", category: "", visibility: "public", preview: false, public_at: null },
  { type: "change_broadcast", title: "B", public_at: 1_800_000_000_000 },
  { type: "whip_offer", destination_id: "a1", sdp: "v=0" },
  { type: "whip_patch", session: "s", fragment: "a=ice-ufrag:x", restart: true },
  { type: "arm_replay", seconds: 30 },
  ...Object.keys(STUDIO_ANSWERS).map((type) => ({ type })),
];

let avcConfig: Uint8Array<ArrayBuffer> | undefined;

function frameOf(kind: ProgramKind, data: Uint8Array, keyframe = true): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(PROGRAM_HEADER_BYTES + data.length);
  const shape = { width: 64, height: 48, sampleRate: 48_000, channels: 2 };
  writeProgramHeader(message, { kind, keyframe, upload: 1, timestamp: 0, ...shape });
  message.set(data, PROGRAM_HEADER_BYTES);
  return message;
}

/** One of each kind, those of the picture as an encoder makes them. */
async function frames(): Promise<Uint8Array[]> {
  const pictures = await makeFootage({ width: 64, height: 48, frameRate: 10, seconds: 1, gop: 5 });
  const [keyframe, delta] = pictures as [AccessUnit, AccessUnit];
  avcConfig = frameOf("avc_config", keyframe.track.config);
  return [
    avcConfig,
    frameOf("avc", keyframe.data),
    frameOf("avc", delta.data, false),
    frameOf("aac_config", Uint8Array.of(0x11, 0x90)),
    ...(Object.keys(PROGRAM_KIND) as ProgramKind[]).map((kind) => frameOf(kind, new Uint8Array(8))),
  ];
}

/** A session before an engine that has nothing of what it is asked for, and what it sent. */
function session() {
  const seen = { bytes: 0 };
  const peer = {
    send: (text: string) => {
      seen.bytes += text.length;
      JSON.parse(text);
    },
    sendMedia: () => undefined,
    behind: 0,
    close: () => undefined,
  };
  const fuzzed = new EngineSession(peer, {
    answer: () => Promise.reject(new KliegError("not_found", "There is no such thing.")),
    greeted: () => undefined,
    media: () => undefined,
    ended: () => undefined,
  });
  return { fuzzed, seen };
}

export const fuzzTargets = [
  defineFuzzTarget({
    name: "studio-messages",
    corpus: () => REQUESTS.map((request, id) => Buffer.from(JSON.stringify({ id, ...request }))),
    run: (input) => {
      const { fuzzed, seen } = session();
      for (const line of Buffer.from(input).toString("utf8").split("\n")) fuzzed.receive(line);
      fuzzed.closed();
      return seen.bytes;
    },
    isExpectedError: () => false,
    maxOutputBytes: () => 64 * 1024,
  }),
  defineFuzzTarget({
    name: "studio-program",
    corpus: frames,
    run: (input) => {
      const clock = new ManualClock();
      const feed = new ProgramFeed({
        clock,
        ffmpeg: undefined,
        shelf: new EncoderShelf({ ffmpeg: undefined, cores: 1 }),
      });
      let bytes = 0;
      feed.addReader({
        onTrack: ({ config }) => {
          bytes += config.length;
        },
        onAccessUnit: ({ data }) => {
          bytes += data.length;
        },
        onRemoved: (error) => {
          throw error;
        },
      });
      const source = feed.openSource();
      try {
        for (const message of [avcConfig, Uint8Array.from(input), Uint8Array.from(input)]) {
          const frame = message === undefined ? undefined : readProgramFrame(message);
          if (frame !== undefined && frame.kind !== "asset") source.push(frame);
        }
      } finally {
        void feed.close();
      }
      return bytes;
    },
    isExpectedError: (error) => error instanceof KliegError,
  }),
];
