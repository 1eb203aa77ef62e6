import { z } from "zod";
import { Colour } from "./colour.ts";
import { AudioFilter, VideoFilter } from "./filter.ts";
import { RecordId, RecordName } from "./identity.ts";

/** A device as the browser names it, and what it was called: ids change when permissions are taken back. */
const Device = z.strictObject({ id: z.string().max(200), label: z.string().max(200) });
const path = z.string().min(1).max(4096);
const size = z.int().min(16).max(7680);

/** How a source sounds in the mix. */
export const AudioSettings = z.strictObject({
  /** dB. */
  gain: z.number().min(-60).max(20),
  muted: z.boolean(),
  /** While any source is solo, the others are not in what its operator hears; the broadcast does not change. */
  solo: z.boolean(),
  /** Whether the operator hears it. */
  monitored: z.boolean(),
  /** ms by which it comes later, to meet a picture that does. */
  delay: z.int().min(0).max(5000),
  /** −1 left to 1 right. */
  pan: z.number().min(-1).max(1),
  filters: z.array(AudioFilter).max(16),
});
export type AudioSettings = z.infer<typeof AudioSettings>;

export const DEFAULT_AUDIO: AudioSettings = {
  gain: 0,
  muted: false,
  solo: false,
  monitored: false,
  delay: 0,
  pan: 0,
  filters: [],
};

const base = { id: RecordId, name: RecordName };
const video = { filters: z.array(VideoFilter).max(16) };
const audio = { audio: AudioSettings };

/** Where pictures and sound come from. A source may be in several scenes; it is captured once. */
export const Source = z.discriminatedUnion("kind", [
  z.strictObject({
    ...base,
    ...video,
    kind: z.literal("camera"),
    device: Device,
    /** What is asked of the camera; null leaves it to the camera. */
    width: size.nullable(),
    height: size.nullable(),
    frame_rate: z.number().min(1).max(240).nullable(),
  }),
  z.strictObject({
    ...base,
    ...video,
    ...audio,
    kind: z.literal("screen"),
    /** What the picker last gave; asked for again where it is gone. */
    surface: z.enum(["screen", "window", "browser_tab"]),
    surface_id: z.string().max(200),
    with_audio: z.boolean(),
    with_pointer: z.boolean(),
  }),
  z.strictObject({
    ...base,
    ...audio,
    kind: z.literal("microphone"),
    device: Device,
    echo_cancellation: z.boolean(),
  }),
  z.strictObject({ ...base, ...video, kind: z.literal("image"), path }),
  z.strictObject({
    ...base,
    ...video,
    kind: z.literal("text"),
    text: z.string().max(4000),
    font: z.string().min(1).max(100),
    /** Canvas pixels. */
    font_size: z.number().min(4).max(1000),
    weight: z.int().min(100).max(900),
    colour: Colour,
    background: Colour.nullable(),
    align: z.enum(["left", "centre", "right"]),
  }),
  z.strictObject({ ...base, ...video, kind: z.literal("colour"), colour: Colour }),
  z.strictObject({
    ...base,
    ...video,
    ...audio,
    kind: z.literal("media_file"),
    path,
    loop: z.boolean(),
    /** What becomes of it when its scene goes on air. */
    on_air: z.enum(["restart", "continue"]),
  }),
  z.strictObject({
    ...base,
    ...video,
    ...audio,
    kind: z.literal("stream"),
    /** What FFmpeg opens: an address, or a capture card as `v4l2:/dev/video0`. The engine takes it in; its password is kept apart. */
    url: z.string().min(1).max(2000),
    /** How RTSP has the media come; `auto`: by TCP where the other end has it. */
    transport: z.enum(["auto", "tcp", "udp"]).default("auto"),
    /** Shown as soon as it comes; else a third of a second is kept in hand against a network that stutters. */
    low_latency: z.boolean().default(true),
    /** Whether the graphics card may decode it. */
    hardware_decode: z.boolean().default(true),
  }),
  z.strictObject({
    ...base,
    ...video,
    ...audio,
    kind: z.literal("guest"),
    /** Whom of the room it shows: a seat, which a guest takes when the host lets them in. */
    seat: z.int().min(1).max(16),
  }),
]);
export type Source = z.infer<typeof Source>;
export type SourceKind = Source["kind"];

/** Whether the source has a picture. */
export function hasPicture(source: Source): boolean {
  return source.kind !== "microphone";
}

/** Whether it is worth a recording of its own: what cannot be had again. */
export function canBeIsolated({ kind }: Source): boolean {
  return ["camera", "screen", "microphone", "guest", "stream"].includes(kind);
}

/** How the source sounds; undefined where it has no sound. */
export function audioOf(source: Source): AudioSettings | undefined {
  return "audio" in source ? source.audio : undefined;
}
