import { z } from "zod";
import { ErrorBody } from "./klieg-error.ts";
import { ROOM_MESSAGE_BYTES } from "./room-request.ts";
import { ChannelName, Visibility } from "./stream.ts";
import {
  BackendCheck,
  BroadcastState,
  EncoderTest,
  GuestRoomState,
  KeptFilm,
  ListedEncoder,
  ProgramState,
  RecordingState,
  ReplayState,
  SecretHolder,
  StudioAsset,
  StudioRecordId,
  StudioSettings,
  StudioWelcome,
  UploadTest,
} from "./studio.ts";
import { CaptureDevice, CaptureInput, CaptureNumber } from "./studio-capture.ts";

/**
 * STU3: what the studio's renderer asks its engine: over Electron's IPC in the app, over a WebSocket in a headless capture
 * box. Text messages are JSON: requests with an `id` that the answer repeats, and events; binary ones are the program's media
 * (`studio-program.ts`), and from the engine the media of what it captures (`studio-capture.ts`). The first request must be
 * `hello`.
 */

/** A text message may be no larger, bytes: a show of many scenes goes in one. */
export const STUDIO_MESSAGE_BYTES = 16 * 1024 * 1024;
/** A binary message may be no larger, bytes: an uncompressed picture of 3840 × 2160 fits. */
export const STUDIO_MEDIA_BYTES = 16 * 1024 * 1024;
/** What this end speaks; engine and renderer of one program always agree, a page left open over an update may not. */
export const STUDIO_PROTOCOL = 1;

/** WebSocket close codes of the engine (RFC 6455 § 7.4.2). */
export const STUDIO_CLOSE = {
  /** What came was not a message of this protocol. Final. */
  protocol: 4400,
  /** No token, or a wrong one. Final. */
  refused: 4401,
  /** Another page took the stage. Final until its user takes it back. */
  replaced: 4409,
} as const;

const RequestId = z.int().nonnegative();
const Title = z.string().trim().max(120);

const request = <T extends string, S extends z.core.$ZodLooseShape>(type: T, shape: S) =>
  z.object({ id: RequestId, type: z.literal(type), ...shape });

export const StudioRequest = z.discriminatedUnion("type", [
  request("hello", {
    protocol: z.int(),
    /** `stage`: captures and sends the program, one page at a time; `control`: sees and steers. */
    role: z.enum(["stage", "control"]),
  }),

  // The show. The engine validates documents with the studio's own schema; here they are only JSON.
  request("open_show", {}),
  request("save_show", { document: z.record(z.string(), z.unknown()) }),
  request("change_settings", { settings: StudioSettings.partial() }),

  // Secrets go in and never come out again: the engine alone uses them.
  request("set_secret", {
    holder: StudioRecordId,
    kind: z.enum(["stream_key", "passphrase"]),
    secret: z.string().min(1).max(512),
  }),
  request("forget_secrets", { holder: StudioRecordId }),

  // Pictures and films of the show: the page reads them at `assets/ID` beside its own address.
  request("begin_asset", {
    name: z.string().trim().min(1).max(255),
    media_type: z.string().max(100),
    /** Bytes. They follow in binary messages. */
    size: z
      .int()
      .min(1)
      .max(4 * 1024 ** 3),
  }),
  request("finish_asset", { asset_id: StudioRecordId }),
  request("remove_asset", { asset_id: StudioRecordId }),

  // Sources that the engine opens for the page on stage (`studio-capture.ts`); what becomes of them is told by `capture` events.
  request("open_capture", {
    /** Chosen by the page; none that is open already. */
    capture: CaptureNumber,
    source_id: StudioRecordId,
    input: CaptureInput,
    /** True: pictures are encoded anew in any case, since the page could not decode them as they came. */
    convert: z.boolean(),
  }),
  request("close_capture", { capture: CaptureNumber }),
  request("list_capture_devices", {}),

  // Before the first broadcast.
  /** Asks a Klieg backend who it is. */
  request("check_backend", { url: z.url({ protocol: /^https?$/ }) }),
  /** Whether the destination would take the broadcast: address, key, rights. Sends no media. */
  request("check_destination", { destination_id: StudioRecordId }),
  request("list_encoders", {}),
  /** Encodes a moving test picture and measures what this machine can do. */
  request("test_encoder", {
    encoder: z.string().max(60),
    width: z.int().min(64).max(7680),
    height: z.int().min(64).max(4320),
    frame_rate: z.number().min(1).max(120),
  }),
  /**
   * Sends for some seconds to a Klieg backend, in a private preview without a picture, to measure what the network carries.
   * Off air only, and not while the channel is on air from elsewhere.
   */
  request("test_upload", { destination_id: StudioRecordId }),

  // On air.
  request("start_broadcast", {
    title: Title,
    category: z.string().trim().max(60),
    visibility: Visibility,
    /** True: nobody sees it until `go_public`. */
    preview: z.boolean(),
    /** Epoch ms at which the engine makes it public by itself; null: by hand. */
    public_at: z.number().nullable(),
  }),
  request("go_public", {}),
  request("change_broadcast", {
    title: Title.optional(),
    category: z.string().trim().max(60).optional(),
    visibility: Visibility.optional(),
    public_at: z.number().nullable().optional(),
  }),
  request("stop_broadcast", {}),
  /** Gives up waiting between two attempts, and a destination that gave up tries again. */
  request("retry_destination", { destination_id: StudioRecordId }),
  request("stop_destination", { destination_id: StudioRecordId }),

  // WHIP (RFC 9725): the page has the peer connection, the engine has the key and speaks HTTP.
  request("whip_offer", {
    destination_id: StudioRecordId,
    sdp: z
      .string()
      .min(1)
      .max(64 * 1024),
  }),
  /** Candidates, or an offer's new credentials for an ICE restart: the body of the PATCH (RFC 8840). */
  request("whip_patch", {
    session: z.string().max(64),
    fragment: z
      .string()
      .min(1)
      .max(64 * 1024),
    restart: z.boolean(),
  }),
  request("whip_end", { session: z.string().max(64) }),

  // Recording.
  request("start_recording", {}),
  request("stop_recording", {}),
  /** Keeps the last moments in memory, ready to be saved; 0 switches it off. */
  request("arm_replay", { seconds: z.int().min(0).max(300) }),
  request("save_replay", {}),
  /** What is in the recordings' folder, newest first. What is being recorded is not among it. */
  request("list_recordings", {}),

  // Guests (STU7): the engine has the room's keys, the page on stage its media. A wire is a socket of the room that the
  // engine opens for a page: what a host may do in the room goes over it, as if the page had the socket itself.
  /** Opens the room of a destination that is a Klieg backend; one that was opened there before is found again. */
  request("open_guest_room", { destination_id: StudioRecordId }),
  /** Ends the room: guests are put out, and its links are of no use any more. */
  request("close_guest_room", {}),
  /** Another link for guests; the one before is revoked. Who is in stays. */
  request("renew_guest_invite", {}),
  request("open_room_wire", {}),
  /** One request of `room-request.ts`, as JSON. The engine puts the tokens into `join`, and lets others through as they are. */
  request("send_to_room", { wire: z.int(), text: z.string().max(ROOM_MESSAGE_BYTES) }),
  request("close_room_wire", { wire: z.int() }),
]);
export type StudioRequest = z.infer<typeof StudioRequest>;
export type StudioRequestType = StudioRequest["type"];
export type StudioRequestOf<T extends StudioRequestType> = Extract<StudioRequest, { type: T }>;
/** What a page passes besides `id` and `type`. */
export type StudioRequestInput<T extends StudioRequestType> = Omit<
  Extract<z.input<typeof StudioRequest>, { type: T }>,
  "id" | "type"
>;

const Nothing = z.object({});
const Kept = z.object({ path: z.string(), duration_ms: z.number(), bytes: z.number() });

/** `data` of the answer to each request. */
export const STUDIO_ANSWERS = {
  hello: StudioWelcome,
  open_show: z.object({
    document: z.record(z.string(), z.unknown()),
    /** Why the saved show could not be used and a new one is opened instead, in words; the damaged one is kept. */
    problem: z.string().nullable(),
    /** Which destinations have secrets. */
    secrets: z.array(SecretHolder),
    assets: z.array(StudioAsset),
  }),
  save_show: z.object({ saved_at: z.number() }),
  change_settings: z.object({ settings: StudioSettings }),
  set_secret: z.object({ secrets: z.array(SecretHolder) }),
  forget_secrets: z.object({ secrets: z.array(SecretHolder) }),
  begin_asset: z.object({ asset_id: StudioRecordId, upload: z.int() }),
  finish_asset: z.object({ asset: StudioAsset }),
  remove_asset: Nothing,
  open_capture: Nothing,
  close_capture: Nothing,
  list_capture_devices: z.object({ devices: z.array(CaptureDevice) }),
  check_backend: z.object({ backend: BackendCheck }),
  check_destination: z.object({ channel: ChannelName.nullable(), watch_url: z.string().nullable() }),
  list_encoders: z.object({ encoders: z.array(ListedEncoder) }),
  test_encoder: z.object({ test: EncoderTest }),
  test_upload: z.object({ upload: UploadTest }),
  start_broadcast: z.object({ broadcast: BroadcastState }),
  go_public: Nothing,
  change_broadcast: z.object({ broadcast: BroadcastState }),
  stop_broadcast: Nothing,
  retry_destination: Nothing,
  stop_destination: Nothing,
  whip_offer: z.object({
    session: z.string(),
    sdp: z.string(),
    /** `Link` of the answer, which names STUN and TURN servers (RFC 9725 § 4.6); null where it has none. */
    link: z.string().nullable(),
  }),
  whip_patch: z.object({ fragment: z.string().nullable() }),
  whip_end: Nothing,
  start_recording: z.object({ recording: RecordingState }),
  stop_recording: z.object({ recording: Kept }),
  arm_replay: z.object({ replay: ReplayState }),
  save_replay: z.object({ replay: Kept }),
  list_recordings: z.object({ folder: z.string(), films: z.array(KeptFilm) }),
  open_guest_room: z.object({ guest_room: GuestRoomState }),
  close_guest_room: Nothing,
  renew_guest_invite: z.object({ guest_room: GuestRoomState }),
  open_room_wire: z.object({ wire: z.int() }),
  send_to_room: Nothing,
  close_room_wire: Nothing,
} as const satisfies Record<StudioRequestType, z.ZodType>;
export type StudioAnswerOf<T extends StudioRequestType> = z.infer<(typeof STUDIO_ANSWERS)[T]>;

/** What the engine says to a request: `data` by {@link STUDIO_ANSWERS}. */
export const StudioAnswer = z.discriminatedUnion("ok", [
  z.object({ id: RequestId, ok: z.literal(true), data: z.unknown() }),
  /** `id` is null where the request's own could not be read. */
  z.object({ id: RequestId.nullable(), ok: z.literal(false), error: ErrorBody.shape.error }),
]);
export type StudioAnswer = z.infer<typeof StudioAnswer>;

/** Said to a page just after `hello`, too: what is under way when it was loaded again in mid-show. */
export const StudioSnapshot = z.object({
  settings: StudioSettings,
  broadcast: BroadcastState,
  program: ProgramState,
  recording: RecordingState,
  replay: ReplayState,
});
export type StudioSnapshot = z.infer<typeof StudioSnapshot>;
