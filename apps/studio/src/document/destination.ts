import { z } from "zod";
import { RecordId, RecordName } from "./identity.ts";

const base = {
  id: RecordId,
  name: RecordName,
  /** Whether going live goes there. */
  enabled: z.boolean(),
};

/**
 * Where a broadcast goes. Keys and passphrases are never in the document: they are secrets, kept by the system's keychain
 * under the destination's id.
 */
export const Destination = z.discriminatedUnion("kind", [
  /** A Klieg backend: its HTTP address; the rest of the addresses it tells itself. */
  z.strictObject({
    ...base,
    kind: z.literal("klieg"),
    url: z.url({ protocol: /^https?$/ }),
    channel: z.string().max(64),
    protocol: z.enum(["srt", "whip"]),
  }),
  /** Another platform: what it calls server or ingest URL. */
  z.strictObject({ ...base, kind: z.literal("rtmp"), url: z.url({ protocol: /^rtmps?$/ }) }),
  z.strictObject({ ...base, kind: z.literal("srt"), url: z.url({ protocol: /^srt$/ }) }),
]);
export type Destination = z.infer<typeof Destination>;
