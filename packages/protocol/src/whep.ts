import { z } from "zod";
import { ChannelName, StreamId } from "./stream.ts";

/** A layer of what a WHEP session receives: a simulcast layer, or a spatial layer of one encoding (SVC). */
export const WhepLayer = z.object({
  /** RTP stream id that the publisher gives it; null where it has none. */
  rid: z.string().nullable(),
  /** 0 is the lowest. */
  spatial_layer: z.int(),
  /** How many temporal layers it has. */
  temporal_layers: z.int(),
  /** What comes of it from the publisher now, bits/s; 0 while it sends none. */
  bitrate: z.int(),
});
export type WhepLayer = z.infer<typeof WhepLayer>;

export const WhepMedia = z.object({
  /** Mid of the media section; its index where it has none. */
  media_id: z.string(),
  kind: z.enum(["audio", "video"]),
  /** RTP payload name, such as `H264`. */
  codec: z.string(),
  /** Best first; one where there is nothing to choose. */
  layers: z.array(WhepLayer),
  /** What is sent at present; null while nothing is. */
  current: z.object({ spatial_layer: z.int(), temporal_layer: z.int() }).nullable(),
  /** What the viewer holds on to; null for automatic. */
  pinned: z.object({ spatial_layer: z.int(), temporal_layer: z.int().nullable() }).nullable(),
});
export type WhepMedia = z.infer<typeof WhepMedia>;

/**
 * `GET` of a WHEP session's resource, and the answer to what is posted below it. `connecting` until DTLS is up;
 * `inactive` while the source is gone and may come back.
 */
export const WhepState = z.object({
  channel: ChannelName,
  stream_id: StreamId,
  state: z.enum(["connecting", "active", "inactive"]),
  paused: z.boolean(),
  /** WebRTC viewers of the stream. */
  viewers: z.int(),
  /** What the network to the viewer is thought to carry, bits/s; null where it is not measured. */
  available_bitrate: z.int().nullable(),
  media: z.array(WhepMedia),
});
export type WhepState = z.infer<typeof WhepState>;

/** `POST …/layers`: holds on to a layer, which nothing above is sent of, or lets go again with `auto`. */
export const PinLayer = z
  .strictObject({
    /** By default the video. */
    media_id: z.string().max(64).optional(),
    auto: z.literal(true).optional(),
    rid: z.string().max(64).optional(),
    spatial_layer: z.int().min(0).max(7).optional(),
    temporal_layer: z.int().min(0).max(7).optional(),
  })
  .refine(
    ({ auto, rid, spatial_layer, temporal_layer }) =>
      (auto === true) !== (rid !== undefined || spatial_layer !== undefined || temporal_layer !== undefined),
    "give either auto or a layer",
  )
  .refine(({ rid, spatial_layer }) => rid === undefined || spatial_layer === undefined, "give rid or spatial_layer");
export type PinLayer = z.infer<typeof PinLayer>;

/**
 * Events of `GET …/events` (server-sent events) with their data.
 * - `active`, `inactive`: the source is there, is gone.
 * - `layers`: what is sent changed; data is the medium.
 * - `viewers`: how many watch.
 * - `reconnect`: this session is over, a new one can be had at once; `ended`: the stream is over.
 */
export const WhepEvent = z.discriminatedUnion("type", [
  z.object({ type: z.literal("active"), data: z.object({}) }),
  z.object({ type: z.literal("inactive"), data: z.object({}) }),
  z.object({ type: z.literal("layers"), data: WhepMedia }),
  z.object({ type: z.literal("viewers"), data: z.object({ count: z.int() }) }),
  z.object({ type: z.literal("reconnect"), data: z.object({ reason: z.string() }) }),
  z.object({ type: z.literal("ended"), data: z.object({ reason: z.string() }) }),
]);
export type WhepEvent = z.infer<typeof WhepEvent>;
