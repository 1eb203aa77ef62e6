import { z } from "zod";

/** `GET /v1/server`: who this is, for studios that look for a Klieg backend. */
export const ServerInfo = z.object({
  product: z.literal("klieg"),
  version: z.string(),
  /** Whether there is WHIP, WHEP and rooms. */
  webrtc: z.boolean(),
});
export type ServerInfo = z.infer<typeof ServerInfo>;

/** `GET /v1/system`, with the admin token: what this server is, and what it can do. */
export const SystemInfo = z.object({
  version: z.string(),
  webrtc: z.object({
    available: z.boolean(),
    /** Why it is not; null where it is. */
    reason: z.string().nullable(),
    /** Media workers; none while WebRTC is not available. */
    workers: z.array(
      z.object({
        index: z.int(),
        /** One that has not been needed yet does not run. */
        running: z.boolean(),
        deaths: z.int(),
        /** RTP streams, peers and pipes that it serves. */
        load: z.int(),
      }),
    ),
    /** Connections, established or not. */
    peers: z.int(),
  }),
});
export type SystemInfo = z.infer<typeof SystemInfo>;
