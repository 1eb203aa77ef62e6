import { z } from "zod";
import { ChannelName, StreamId } from "./stream.ts";

/** RTC2: what rooms are made of, and their HTTP API. Messages of `WS /v1/rooms/:id` are in room-request.ts and room-event.ts. */

export const RoomId = z.string().regex(/^[a-z0-9]{12,32}$/, "not a room id");
export const ParticipantId = z.string().regex(/^[a-z0-9]{8,32}$/, "not a participant id");
export const InviteId = z.string().regex(/^[a-z0-9]{16,32}$/, "not an invite id");
export const RecordingId = z.string().regex(/^[a-z0-9]{8,32}$/, "not a recording id");
/** A signed invite (JWT). */
export const InviteToken = z.string().min(1).max(2048);

/** Control characters, and marks that turn the direction of the text around them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

const line = (maximum: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(maximum)
    .refine((text) => !UNSEEN.test(text), "one line of text is wanted, without control characters");

export const RoomTitle = line(120);
export const ParticipantName = line(60);

/** `attendee`: watches, raises a hand, writes. `speaker`: also sends sound and picture. `host`: also runs the room. */
export const RoomRole = z.enum(["host", "speaker", "attendee"]);
export type RoomRole = z.infer<typeof RoomRole>;

/** What a producer shows; one of each for a participant. `camera` and `screen` are video, the others audio. */
export const RoomSource = z.enum(["camera", "microphone", "screen", "screen_audio"]);
export type RoomSource = z.infer<typeof RoomSource>;

export const RoomParticipant = z.object({
  id: ParticipantId,
  name: z.string(),
  role: RoomRole,
  joined_at: z.iso.datetime(),
  /** Since when the hand is up; null while it is down. */
  hand_raised_at: z.iso.datetime().nullable(),
});
export type RoomParticipant = z.infer<typeof RoomParticipant>;

export const RoomProducer = z.object({
  id: z.string(),
  participant_id: ParticipantId,
  source: RoomSource,
  kind: z.enum(["audio", "video"]),
  /** By its sender or by a host. */
  paused: z.boolean(),
  /** A host paused it. Its sender may resume it. */
  muted_by_host: z.boolean(),
});
export type RoomProducer = z.infer<typeof RoomProducer>;

export const RoomText = z.object({
  /** Grows by one with each text of the room's life in memory. */
  seq: z.int(),
  participant_id: ParticipantId,
  /** The name that its writer had then. */
  name: z.string(),
  role: RoomRole,
  text: z.string(),
  at: z.iso.datetime(),
});
export type RoomText = z.infer<typeof RoomText>;

/** What the program (on air, recording) shows: one speaker, by default whoever speaks, or everybody. */
export const RoomLayout = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("speaker"),
    /** Stays on this participant; follows the active speaker where absent, or while that one sends no picture. */
    participant_id: ParticipantId.optional(),
  }),
  z.object({ kind: z.literal("grid") }),
]);
export type RoomLayout = z.infer<typeof RoomLayout>;

export const RoomOnAir = z.object({
  channel: ChannelName,
  since: z.iso.datetime(),
  layout: RoomLayout,
  /** `starting` until the channel's stream can be watched. */
  state: z.enum(["starting", "live"]),
  stream_id: StreamId.nullable(),
});
export type RoomOnAir = z.infer<typeof RoomOnAir>;

export const RoomRecording = z.object({ id: RecordingId, since: z.iso.datetime(), layout: RoomLayout });
export type RoomRecording = z.infer<typeof RoomRecording>;

/** A room as those in it see it. */
export const RoomState = z.object({
  id: RoomId,
  title: z.string(),
  /** The channel that it can go on air on. */
  channel: ChannelName.nullable(),
  locked: z.boolean(),
  on_air: RoomOnAir.nullable(),
  recording: RoomRecording.nullable(),
});
export type RoomState = z.infer<typeof RoomState>;

/** `RTCIceServer`. */
export const IceServer = z.object({
  urls: z.array(z.string()),
  username: z.string().optional(),
  credential: z.string().optional(),
});
export type IceServer = z.infer<typeof IceServer>;

/** `POST /v1/rooms`, with the admin token, or with a channel's stream key: the room is then that channel's. */
export const CreateRoom = z.object({
  title: RoomTitle.optional(),
  /** With the admin token only: the channel that the room can go on air on. */
  channel: ChannelName.optional(),
});

/** `GET /v1/rooms/:id`: what anybody may know who has the address. */
export const RoomInfo = z.object({
  id: RoomId,
  title: z.string(),
  locked: z.boolean(),
  /** Somebody is in it. */
  open: z.boolean(),
  participants: z.int(),
  max_participants: z.int(),
});
export type RoomInfo = z.infer<typeof RoomInfo>;

/** `GET /v1/rooms`, with the admin token, or with a channel's stream key: rooms that have not ended, newest first. */
export const RoomList = z.object({
  rooms: z.array(RoomInfo.extend({ channel: ChannelName.nullable(), created_at: z.iso.datetime() })),
});

export const DEFAULT_INVITE_S = 24 * 3600;

/** `POST /v1/rooms/:id/invites`, and the request `create_invite`. */
export const CreateInvite = z.object({
  role: RoomRole,
  /** How long the invite can be used, s. */
  expires_in_s: z
    .int()
    .min(60)
    .max(30 * 24 * 3600)
    .default(DEFAULT_INVITE_S),
  /** For those who list the invites. */
  label: z.string().trim().max(80).default(""),
});

export const InviteInfo = z.object({
  id: InviteId,
  role: RoomRole,
  label: z.string(),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime(),
  revoked_at: z.iso.datetime().nullable(),
});
export type InviteInfo = z.infer<typeof InviteInfo>;

/** The only answer that ever holds an invite's token. */
export const CreatedInvite = InviteInfo.extend({
  token: InviteToken,
  /** The whole address: `…/room/ID#invite=TOKEN`. */
  link: z.string(),
});
export type CreatedInvite = z.infer<typeof CreatedInvite>;

export const InviteList = z.object({ invites: z.array(InviteInfo) });

/** Answer to `POST /v1/rooms`. */
export const CreatedRoom = z.object({ room: RoomInfo, channel: ChannelName.nullable(), invite: CreatedInvite });
export type CreatedRoom = z.infer<typeof CreatedRoom>;

export const RecordingInfo = z.object({
  id: RecordingId,
  started_at: z.iso.datetime(),
  /** Null while it runs. */
  ended_at: z.iso.datetime().nullable(),
  /** `interrupted`: the server stopped before the recording was; what was recorded until then is whole. */
  state: z.enum(["recording", "finished", "interrupted"]),
  bytes: z.int(),
  duration_ms: z.int(),
  /** Why it ended, where nobody stopped it. */
  end_reason: z.string().nullable(),
  /** Path of the MP4 file, signed, good for an hour. */
  download: z.string(),
});
export type RecordingInfo = z.infer<typeof RecordingInfo>;

/** `GET /v1/rooms/:id/recordings`, with a host's invite token or the admin token as bearer. */
export const RecordingList = z.object({ recordings: z.array(RecordingInfo) });
