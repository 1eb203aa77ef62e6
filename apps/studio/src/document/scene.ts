import { z } from "zod";
import { RecordId, RecordName } from "./identity.ts";
import { Transform } from "./transform.ts";

/** A source's place in one scene. */
export const SceneItem = z.strictObject({
  id: RecordId,
  source: RecordId,
  transform: Transform,
  visible: z.boolean(),
  /** Cannot be moved by hand. */
  locked: z.boolean(),
  /** 0 to 1. */
  opacity: z.number().min(0).max(1),
});
export type SceneItem = z.infer<typeof SceneItem>;

/** How one scene becomes another on air. */
export const Transition = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("cut") }),
  /** Durations in ms. */
  z.strictObject({ kind: z.literal("fade"), duration: z.int().min(50).max(5000) }),
  z.strictObject({
    kind: z.literal("slide"),
    duration: z.int().min(50).max(5000),
    /** Where the new scene comes from. */
    from: z.enum(["left", "right", "top", "bottom"]),
  }),
]);
export type Transition = z.infer<typeof Transition>;

export const DEFAULT_TRANSITION: Transition = { kind: "fade", duration: 300 };

/** What is shown and heard together. */
export const Scene = z.strictObject({
  id: RecordId,
  name: RecordName,
  /** Back to front. */
  items: z.array(SceneItem).max(100),
  /** How it comes on air; null goes by the document's own. */
  transition: Transition.nullable(),
});
export type Scene = z.infer<typeof Scene>;
