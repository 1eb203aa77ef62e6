import { StudioEvent } from "@klieg/protocol";
import { z } from "zod";

/** What main process and engine process say to each other. Pages speak to the engine over ports of their own. */

const Bytes = z.instanceof(Uint8Array);
const Call = z.int().nonnegative();

export const ToEngine = z.discriminatedUnion("type", [
  /** The first message. */
  z.object({
    type: z.literal("start"),
    /** Absolute path; everything that the studio keeps. */
    data_folder: z.string(),
    /** Absolute path; recordings go there until its user says otherwise. */
    recording_folder: z.string(),
    version: z.string(),
    /** Whether `seal` and `open` can be asked for. */
    keychain: z.boolean(),
  }),
  /** Carries one port. */
  z.object({ type: z.literal("page") }),
  /** To be told to every page: a command, a link, the state of an update. */
  z.object({ type: z.literal("tell"), event: StudioEvent }),
  z.object({ type: z.literal("asset"), call: Call, asset_id: z.string() }),
  /** The answer to `seal` or `open`; null where the keychain did not do it. */
  z.object({ type: z.literal("sealed"), call: Call, bytes: Bytes.nullable() }),
  /** End broadcast and recording in order, say `stopped`. */
  z.object({ type: z.literal("stop") }),
]);
export type ToEngine = z.infer<typeof ToEngine>;

export const FromEngine = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ready") }),
  z.object({ type: z.literal("seal"), call: Call, bytes: Bytes }),
  z.object({ type: z.literal("open"), call: Call, bytes: Bytes }),
  z.object({
    type: z.literal("asset"),
    call: Call,
    asset: z.object({ path: z.string(), mediaType: z.string() }).nullable(),
  }),
  z.object({
    type: z.literal("state"),
    on_air: z.boolean(),
    recording: z.boolean(),
    /** Command name to key, as in the settings. */
    global_keys: z.record(z.string(), z.string()),
  }),
  z.object({ type: z.literal("stopped") }),
  /** The engine cannot start, in words; it exits. */
  z.object({ type: z.literal("failed"), message: z.string() }),
]);
export type FromEngine = z.infer<typeof FromEngine>;
