import { z } from "zod";
import { Colour } from "./colour.ts";
import { RecordId } from "./identity.ts";

const base = { id: RecordId, enabled: z.boolean() };
const share = z.number().min(0).max(1);

/** What is done to a source's picture before it is placed. Applied in the order of the list. */
export const VideoFilter = z.discriminatedUnion("kind", [
  z.strictObject({
    ...base,
    kind: z.literal("chroma_key"),
    key: Colour,
    /** Distance in chroma that still counts as the key colour. */
    similarity: share,
    /** How gently the edge goes over into what is kept. */
    smoothness: share,
    /** How much of the key colour's reflection is taken out of what is kept. */
    spill: share,
  }),
  z.strictObject({
    ...base,
    kind: z.literal("colour"),
    /** −1 to 1, nothing at 0. */
    brightness: z.number().min(-1).max(1),
    contrast: z.number().min(-1).max(1),
    saturation: z.number().min(-1).max(1),
    /** Degrees about the colour circle. */
    hue: z.number().min(-180).max(180),
    gamma: z.number().min(0.2).max(5),
  }),
  z.strictObject({
    ...base,
    kind: z.literal("blur"),
    /** Standard deviation, pixels of the source. */
    radius: z.number().min(0).max(64),
  }),
  z.strictObject({
    ...base,
    /** Blurs all that is no person. */
    kind: z.literal("background_blur"),
    /** Standard deviation, pixels of the source. */
    radius: z.number().min(0).max(64),
  }),
  /** Takes out all that is no person. */
  z.strictObject({ ...base, kind: z.literal("background_removal") }),
]);
export type VideoFilter = z.infer<typeof VideoFilter>;

/** Whether a filter, as it is now, has to know where people are. */
export function findsPeople({ kind, enabled }: VideoFilter): boolean {
  return enabled && (kind === "background_blur" || kind === "background_removal");
}

/** What is done to a source's sound before it is mixed. Applied in the order of the list. */
export const AudioFilter = z.discriminatedUnion("kind", [
  z.strictObject({ ...base, kind: z.literal("noise_suppression") }),
  z.strictObject({
    ...base,
    kind: z.literal("gate"),
    /** dBFS above which it opens, and below which it closes again. */
    open_at: z.number().min(-90).max(0),
    close_at: z.number().min(-90).max(0),
    /** ms. */
    attack: z.number().min(0).max(1000),
    hold: z.number().min(0).max(5000),
    release: z.number().min(1).max(5000),
  }),
  z.strictObject({
    ...base,
    kind: z.literal("compressor"),
    /** dBFS. */
    threshold: z.number().min(-60).max(0),
    /** Input to output beyond the threshold, e.g. 4 for 4:1. */
    ratio: z.number().min(1).max(20),
    /** dB about the threshold where it sets in gently. */
    knee: z.number().min(0).max(40),
    /** ms. */
    attack: z.number().min(0).max(1000),
    release: z.number().min(0).max(1000),
    /** dB added afterwards. */
    makeup: z.number().min(0).max(30),
  }),
  z.strictObject({
    ...base,
    kind: z.literal("limiter"),
    /** dBFS that nothing exceeds. */
    ceiling: z.number().min(-20).max(0),
    /** ms. */
    release: z.number().min(1).max(1000),
  }),
]);
export type AudioFilter = z.infer<typeof AudioFilter>;
