import { z } from "zod";
import { ErrorBody } from "./klieg-error.ts";
import {
  BitrateReason,
  BroadcastState,
  DestinationHealth,
  GuestRoomState,
  ProgramState,
  RecordingState,
  ReplayState,
  SecretHolder,
  ServerHealth,
  StudioSettings,
} from "./studio.ts";
import { CaptureStatus } from "./studio-capture.ts";

/** STU4: what the engine tells its pages without being asked. States are told whole, whenever they change. */
export const StudioEvent = z.discriminatedUnion("event", [
  z.object({ event: z.literal("settings"), settings: StudioSettings }),
  z.object({ event: z.literal("secrets"), secrets: z.array(SecretHolder) }),
  /** Another page changed the show. */
  z.object({ event: z.literal("show"), document: z.record(z.string(), z.unknown()) }),
  z.object({ event: z.literal("broadcast"), broadcast: BroadcastState }),
  z.object({ event: z.literal("program"), program: ProgramState }),
  z.object({ event: z.literal("recording"), recording: RecordingState }),
  z.object({ event: z.literal("replay"), replay: ReplayState }),
  z.object({ event: z.literal("guest_room"), guest_room: GuestRoomState }),
  /** What the room's server sent over a wire of this page: an event or answer of `room-event.ts` and `room-request.ts`. */
  z.object({ event: z.literal("room_message"), wire: z.int(), text: z.string() }),
  /** A wire to the room is gone. @see ROOM_CLOSE for its code. */
  z.object({ event: z.literal("room_wire_closed"), wire: z.int(), code: z.int() }),
  /** Once a second while anything is sent. */
  z.object({
    event: z.literal("health"),
    at: z.number(),
    destinations: z.array(DestinationHealth),
    server: z.array(ServerHealth),
    /** What reached the engine from the page, over the last second. */
    program: z.object({ frame_rate: z.number(), video_bitrate: z.number(), audio_bitrate: z.number() }),
  }),
  /** What the page's video encoder is to make from now on, bits/s. */
  z.object({ event: z.literal("video_bitrate"), bitrate: z.number(), reason: BitrateReason }),
  /** Somebody joins the stream in the middle: a destination that comes back, a recording that begins. */
  z.object({
    event: z.literal("keyframe_wanted"),
    /** Of a source that is recorded by itself, by its number; else of the program. */
    isolated: z.int().optional(),
  }),
  /** Told to the page alone that opened it. */
  z.object({ event: z.literal("capture"), status: CaptureStatus }),
  /** A command of the app's menu, tray or a global shortcut. */
  z.object({ event: z.literal("command"), command: z.string().max(60) }),
  /** An address of the app's own scheme that the system handed to it, e.g. an invitation. */
  z.object({ event: z.literal("link"), url: z.string().max(2000) }),
  z.object({
    event: z.literal("update"),
    state: z.enum(["none", "downloading", "ready", "failed"]),
    version: z.string().nullable(),
  }),
  /** Something that the user should know and no state tells. */
  z.object({ event: z.literal("notice"), error: ErrorBody.shape.error }),
]);
export type StudioEvent = z.infer<typeof StudioEvent>;
export type StudioEventOf<T extends StudioEvent["event"]> = Extract<StudioEvent, { event: T }>;
