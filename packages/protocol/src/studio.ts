import { z } from "zod";
import { ErrorBody } from "./klieg-error.ts";
import { InviteId, RoomId } from "./room.ts";
import { ChannelName, HealthWarning, StreamId, StreamState, Visibility } from "./stream.ts";

/** Names one record of a show: a source, scene, destination, asset. */
export const StudioRecordId = z.string().regex(/^[a-z0-9-]{1,40}$/, "1 to 40 of a-z, 0-9 and -");

/** What belongs to the person and the machine, not to a show. */
export const StudioSettings = z.object({
  /** Whether the first-run steps are done, or were put off. */
  welcomed: z.boolean(),
  theme: z.enum(["dark", "light", "system"]),
  /** What a title, category and visibility were last time. */
  last_title: z.string().max(120),
  last_category: z.string().max(60),
  last_visibility: Visibility,
  /** Absolute path; where recordings and replays go. */
  recording_folder: z.string().min(1).max(4096),
  /** Whether going live begins a recording too. */
  record_with_broadcast: z.boolean(),
  /** Seconds of replay kept ready; 0: none. */
  replay_seconds: z.int().min(0).max(300),
  /** Command name to key, as `KeyboardEvent.code` with modifiers: `Control+Shift+KeyL`. Commands that are not there have their default. */
  keys: z.record(z.string().max(60), z.string().max(60)),
  /** Command name to key, written alike: in the app these work while another program is in front, too. */
  global_keys: z.record(z.string().max(60), z.string().max(60)),
  /** Output device of what the operator hears; empty: the system's default. */
  monitor_device: z.string().max(200),
});
export type StudioSettings = z.infer<typeof StudioSettings>;

/** Which secrets a destination has: the secrets themselves never leave the engine. */
export const SecretHolder = z.object({
  holder: StudioRecordId,
  stream_key: z.boolean(),
  passphrase: z.boolean(),
});
export type SecretHolder = z.infer<typeof SecretHolder>;

/** A file of the show that the engine keeps. */
export const StudioAsset = z.object({
  id: StudioRecordId,
  name: z.string(),
  media_type: z.string(),
  /** Bytes. */
  size: z.int(),
});
export type StudioAsset = z.infer<typeof StudioAsset>;

/** What a Klieg backend told of itself. */
export const BackendCheck = z.object({
  /** As it was reached, without a path. */
  url: z.string(),
  version: z.string().nullable(),
  webrtc: z.boolean(),
  channels: z.array(z.object({ name: ChannelName, title: z.string(), live: z.boolean() })),
});
export type BackendCheck = z.infer<typeof BackendCheck>;

/** A video encoder that FFmpeg has on this machine (STU2, TRN3). */
export const ListedEncoder = z.object({
  /** FFmpeg's name, e.g. `h264_nvenc`. */
  name: z.string(),
  hardware: z.boolean(),
  /** For people, e.g. "NVIDIA GPU". */
  label: z.string(),
  /** By a real test encode. */
  works: z.boolean(),
  /** Why not, in words. */
  reason: z.string().nullable(),
});
export type ListedEncoder = z.infer<typeof ListedEncoder>;

export const EncoderTest = z.object({
  encoder: z.string(),
  hardware: z.boolean(),
  /** Pictures encoded a second, over the whole test. */
  frame_rate: z.number(),
  /** As multiples of the asked rate; from about 1.5 on there is room for the rest of the studio. */
  speed: z.number(),
});
export type EncoderTest = z.infer<typeof EncoderTest>;

/** What the network towards a Klieg backend carried, measured with media that nobody could see. */
export const UploadTest = z.object({
  /** bits/s. */
  bitrate: z.number(),
  /** It carried all that was tried, and may carry more. */
  at_least: z.boolean(),
  rtt_ms: z.number().nullable(),
  /** Share of packets that had to be sent again, 0 to 1. */
  loss: z.number(),
});
export type UploadTest = z.infer<typeof UploadTest>;

const Problem = ErrorBody.shape.error;

/** One destination of a broadcast. */
export const DestinationState = z.object({
  id: StudioRecordId,
  /**
   * `waiting`: for the first picture; `reconnecting`: it was on air, and is to be again; `failed`: given up, `problem` says
   * why; `stopped`: by the operator.
   */
  state: z.enum(["waiting", "connecting", "live", "reconnecting", "failed", "stopped"]),
  /** Since when, epoch ms. */
  since: z.number(),
  /** Attempts since it was last live. */
  attempt: z.int(),
  /** Epoch ms; null while none is planned. */
  next_attempt_at: z.number().nullable(),
  /** The last thing that went wrong; null once live again. */
  problem: Problem.nullable(),
  /** At a Klieg backend. */
  stream_id: StreamId.nullable(),
  watch_url: z.string().nullable(),
});
export type DestinationState = z.infer<typeof DestinationState>;

export const BroadcastState = z.object({
  /** `preview`: sent, and seen by nobody but its owner; `live`: seen. */
  state: z.enum(["idle", "starting", "preview", "live", "stopping"]),
  /** Epoch ms at which it first was on air, preview included; null while idle. */
  started_at: z.number().nullable(),
  live_at: z.number().nullable(),
  public_at: z.number().nullable(),
  title: z.string(),
  category: z.string(),
  visibility: Visibility,
  destinations: z.array(DestinationState),
});
export type BroadcastState = z.infer<typeof BroadcastState>;

/** Where the program comes from: `held`: its page is gone for a moment, and the last picture is shown with silence. */
export const ProgramState = z.object({
  state: z.enum(["none", "fed", "held"]),
  since: z.number(),
});
export type ProgramState = z.infer<typeof ProgramState>;

/** The recording of one source by itself, beside that of the program (STU8). */
export const IsolatedState = z.object({
  source: StudioRecordId,
  /** By which the source's frames name it (`ProgramFrame.isolated`). */
  number: z.int().min(1).max(0xffff),
  /** `waiting`: for the program's own to begin, or for the first that the page sends. */
  state: z.enum(["waiting", "recording", "failed"]),
  /** What the page is to send. */
  picture: z.boolean(),
  sound: z.boolean(),
  path: z.string(),
  duration_ms: z.number(),
  /** Safe on the disk. */
  bytes: z.number(),
  problem: Problem.nullable(),
});
export type IsolatedState = z.infer<typeof IsolatedState>;

export const RecordingState = z.object({
  state: z.enum(["off", "starting", "recording", "failed"]),
  /** Of what is being recorded, or was last, with its length and size; null where nothing was. */
  path: z.string().nullable(),
  duration_ms: z.number(),
  /** Safe on the disk. */
  bytes: z.number(),
  /** What its disk has left, bytes; null or absent where that is not known. */
  free_bytes: z.number().nullable().optional(),
  problem: Problem.nullable(),
  /** Sources that are recorded by themselves along with it. */
  isolated: z.array(IsolatedState).optional(),
});
export type RecordingState = z.infer<typeof RecordingState>;

/** A film in the recordings' folder that is whole. */
export const KeptFilm = z.object({
  /** The page reads it at `assets/ID` beside its own address; another as soon as the file changes. */
  id: StudioRecordId,
  /** Of its file, without the extension. */
  name: z.string(),
  path: z.string(),
  /** `source`: of a single source, beside a program's. */
  kind: z.enum(["program", "source", "replay"]),
  bytes: z.number(),
  duration_ms: z.number(),
  /** Epoch ms. */
  ended_at: z.number(),
  /** Pixels; null where it has no picture. */
  width: z.int().nullable(),
  height: z.int().nullable(),
  sound: z.boolean(),
});
export type KeptFilm = z.infer<typeof KeptFilm>;

export const ReplayState = z.object({
  /** Asked for; 0: off. */
  seconds: z.int(),
  /** There to be saved now. */
  held_ms: z.number(),
  bytes: z.number(),
});
export type ReplayState = z.infer<typeof ReplayState>;

/** STU7: the room that guests of the show come to, as the engine has it. */
export const GuestRoomState = z.object({
  /** `open`: there is a room, and the page on stage may take its seat in it. */
  state: z.enum(["closed", "opening", "open"]),
  /** The destination at whose backend it is; null while it is closed. */
  destination_id: StudioRecordId.nullable(),
  room_id: RoomId.nullable(),
  /** What guests are sent: whoever has it may come in, until it expires or somebody who came by it is removed. */
  invite: z.object({ id: InviteId, link: z.string(), expires_at: z.iso.datetime() }).nullable(),
  /** Why it was not opened, or could not be ended in order; null while all is well. */
  problem: Problem.nullable(),
});
export type GuestRoomState = z.infer<typeof GuestRoomState>;

/** First answer of the engine. */
export const StudioWelcome = z.object({
  protocol: z.int(),
  version: z.string(),
  /** `web`: a headless capture box; `browser`: the page alone, which publishes by WHIP and keeps what it can in the browser. */
  host: z.enum(["electron", "web", "browser"]),
  platform: z.string(),
  cores: z.int(),
  /** What FFmpeg there is; null: none, then the page must encode sound and picture, and no file or camera address can be opened. */
  ffmpeg: z.object({ version: z.string() }).nullable(),
  /** How secrets are kept: by the system's keychain, in a file that only this user can read, or until the tab is closed. */
  secrets: z.enum(["keychain", "file", "session"]),
});
export type StudioWelcome = z.infer<typeof StudioWelcome>;

/** How the connection to one destination does, over the last second; null where its protocol does not tell. */
export const DestinationHealth = z.object({
  id: StudioRecordId,
  /** bits/s that left. */
  bitrate: z.number(),
  rtt_ms: z.number().nullable(),
  /** Share of packets that the other end missed at first, 0 to 1. */
  loss: z.number().nullable(),
  /** Packets sent again, since the beginning. */
  retransmitted: z.int().nullable(),
  /** What waits to be sent or acknowledged, ms of media. */
  buffer_ms: z.number(),
  /** Pictures left out because the network did not take them, since the beginning. */
  dropped_frames: z.int(),
});
export type DestinationHealth = z.infer<typeof DestinationHealth>;

/** What the backend says of the broadcast (STU4). */
export const ServerHealth = z.object({
  destination: StudioRecordId,
  state: StreamState,
  /** bits/s received. */
  bitrate: z.number(),
  frame_rate: z.number(),
  keyframe_interval_ms: z.number().nullable(),
  warnings: z.array(HealthWarning),
  renditions: z.array(
    z.object({ name: z.string(), state: z.string(), width: z.int().nullable(), height: z.int().nullable() }),
  ),
  viewers: z.int().nullable(),
  /** Epoch ms when this was asked. */
  at: z.number(),
});
export type ServerHealth = z.infer<typeof ServerHealth>;

/**
 * Why the bitrate is what it is. `full`: as was asked for; `queue`, `loss`, `drops`: what the network does with more; `busy`:
 * this computer does not get round to sending it; `probing`: it grows again.
 */
export const BitrateReason = z.enum(["full", "queue", "loss", "drops", "busy", "probing"]);
export type BitrateReason = z.infer<typeof BitrateReason>;
