import { z } from "zod";
import { ErrorBody } from "./klieg-error.ts";
import {
  CreatedInvite,
  CreateInvite,
  IceServer,
  InviteId,
  InviteList,
  InviteToken,
  ParticipantId,
  ParticipantName,
  RoomLayout,
  RoomOnAir,
  RoomParticipant,
  RoomProducer,
  RoomRecording,
  RoomRole,
  RoomSource,
  RoomState,
  RoomText,
} from "./room.ts";
import { DtlsParameters, IceCandidate, IceParameters, RtpCapabilities, RtpParameters } from "./room-media.ts";

/**
 * RTC2: what a participant asks over `WS /v1/rooms/:id`. Each request has an `id` that its answer repeats; answers may
 * come in another order than the requests. The first request must be `join`, within {@link ROOM_JOIN_TIMEOUT_MS}.
 */

/** A message may be no larger, bytes. */
export const ROOM_MESSAGE_BYTES = 64 * 1024;
export const ROOM_JOIN_TIMEOUT_MS = 10_000;
/** How long a place is kept for whoever was cut off (`resume_token`), ms. */
export const ROOM_RESUME_MS = 60_000;
/** So many texts are told to those who join later. */
export const ROOM_TEXT_HISTORY = 200;

/** WebSocket close codes of a room (RFC 6455 § 7.4.2). After those marked "final" the page does not come back by itself. */
export const ROOM_CLOSE = {
  /** What came was not a message of this protocol, or none came in time. Final. */
  protocol: 4400,
  /** The token is no good. Final. */
  refused: 4401,
  /** A host removed the participant. Final. */
  removed: 4403,
  /** The same participant joined from elsewhere with its resume token. Final. */
  replaced: 4409,
  /** The room has ended. Final. */
  ended: 4410,
  /** Too many messages, or too slow to take them. Try again after some seconds. */
  overloaded: 4429,
  /** Media is gone, or the server stops. Come back with the resume token. */
  reconnect: 4503,
} as const;

const RequestId = z.int().nonnegative();
const ProducerId = z.string().min(1).max(64);
const ConsumerId = z.string().min(1).max(64);
const TransportId = z.string().min(1).max(64);
const Layer = z.int().min(0).max(7);

const request = <T extends string, S extends z.core.$ZodLooseShape>(type: T, shape: S) =>
  z.object({ id: RequestId, type: z.literal(type), ...shape });

export const RoomRequest = z.discriminatedUnion("type", [
  request("join", {
    token: InviteToken,
    name: ParticipantName,
    /** From an earlier `join` of the same tab: takes the same place again, even where its old socket still hangs. */
    resume_token: z.string().min(1).max(128).optional(),
  }),
  /** Answered at once: tells that the connection still works. */
  request("ping", {}),

  // Transports. One for each direction.
  request("create_transport", {
    direction: z.enum(["send", "recv"]),
    /** `device.rtpCapabilities`; wanted for `recv`. */
    rtp_capabilities: RtpCapabilities.optional(),
  }),
  request("connect_transport", { transport_id: TransportId, dtls_parameters: DtlsParameters }),
  request("restart_ice", { transport_id: TransportId }),
  request("close_transport", { transport_id: TransportId }),

  // What the participant sends: hosts and speakers.
  request("produce", {
    transport_id: TransportId,
    source: RoomSource,
    rtp_parameters: RtpParameters,
    paused: z.boolean().default(false),
  }),
  request("close_producer", { producer_id: ProducerId }),
  request("pause_producer", { producer_id: ProducerId }),
  request("resume_producer", { producer_id: ProducerId }),

  // What it receives. A consumer begins paused: resume it once the browser has its track.
  request("consume", { transport_id: TransportId, producer_id: ProducerId }),
  request("close_consumer", { consumer_id: ConsumerId }),
  request("pause_consumer", { consumer_id: ConsumerId }),
  request("resume_consumer", { consumer_id: ConsumerId }),
  /** At most these layers, by what is on screen; bandwidth may lead to lower ones. */
  request("set_layers", {
    consumer_id: ConsumerId,
    /** 0 is the smallest; null: the best there is. */
    spatial_layer: Layer.nullable().default(null),
    temporal_layer: Layer.nullable().default(null),
    /** Who gets bandwidth first: 1 (last) to 255. */
    priority: z.int().min(1).max(255).optional(),
  }),

  // What everybody may.
  request("raise_hand", { raised: z.boolean() }),
  request("send_text", { text: z.string().trim().min(1).max(2000) }),
  request("rename", { name: ParticipantName }),

  // What a host may.
  request("mute", { participant_id: ParticipantId, source: RoomSource }),
  /** Everybody's, but hosts' own. */
  request("mute_all", { source: RoomSource.default("microphone") }),
  /** Puts the participant out and revokes the invite that it came by: others who are in by the same one stay. */
  request("remove", { participant_id: ParticipantId }),
  request("set_role", { participant_id: ParticipantId, role: RoomRole }),
  request("lower_hand", { participant_id: ParticipantId }),
  /** Nobody can join but hosts and those who come back. */
  request("lock", {}),
  request("unlock", {}),
  request("create_invite", CreateInvite.shape),
  request("list_invites", {}),
  request("revoke_invite", { invite_id: InviteId }),
  /** While on air already: changes the layout. */
  request("go_on_air", { layout: RoomLayout.default({ kind: "speaker" }) }),
  request("go_off_air", {}),
  /** The program has one layout: on air and recording at once, the later one counts. */
  request("start_recording", { layout: RoomLayout.optional() }),
  request("stop_recording", {}),
  /** Everybody is put out, the room is deleted; its recordings stay. */
  request("end_room", {}),
]);
export type RoomRequest = z.infer<typeof RoomRequest>;
export type RoomRequestType = RoomRequest["type"];
export type RoomRequestOf<T extends RoomRequestType> = Extract<RoomRequest, { type: T }>;
/** What a client passes besides `id` and `type`. */
export type RoomRequestInput<T extends RoomRequestType> = Omit<
  Extract<z.input<typeof RoomRequest>, { type: T }>,
  "id" | "type"
>;

export const RoomJoined = z.object({
  self: RoomParticipant,
  /** Keep it for as long as the tab lives, and only there. */
  resume_token: z.string(),
  /** The place was there already: `self` has its earlier id. */
  resumed: z.boolean(),
  room: RoomState,
  /** Everybody, `self` included. */
  participants: z.array(RoomParticipant),
  producers: z.array(RoomProducer),
  active_speaker: ParticipantId.nullable(),
  texts: z.array(RoomText),
  router_rtp_capabilities: RtpCapabilities,
  ice_servers: z.array(IceServer),
  max_participants: z.int(),
});
export type RoomJoined = z.infer<typeof RoomJoined>;

export const RoomTransport = z.object({
  id: z.string(),
  ice_parameters: IceParameters,
  ice_candidates: z.array(IceCandidate),
  dtls_parameters: DtlsParameters,
  /** Anew, as their credentials run out. */
  ice_servers: z.array(IceServer),
});
export type RoomTransport = z.infer<typeof RoomTransport>;

export const RoomConsumer = z.object({
  id: z.string(),
  producer_id: z.string(),
  kind: z.enum(["audio", "video"]),
  rtp_parameters: RtpParameters,
  /** Whether there are layers to choose from. */
  type: z.enum(["simple", "simulcast", "svc", "pipe"]),
  spatial_layers: z.int(),
  temporal_layers: z.int(),
  producer_paused: z.boolean(),
});
export type RoomConsumer = z.infer<typeof RoomConsumer>;

const Nothing = z.object({});

/** `data` of the answer to each request. */
export const ROOM_ANSWERS = {
  join: RoomJoined,
  ping: Nothing,
  create_transport: RoomTransport,
  connect_transport: Nothing,
  restart_ice: z.object({ ice_parameters: IceParameters, ice_servers: z.array(IceServer) }),
  close_transport: Nothing,
  produce: z.object({ producer: RoomProducer }),
  close_producer: Nothing,
  pause_producer: Nothing,
  resume_producer: Nothing,
  consume: z.object({ consumer: RoomConsumer }),
  close_consumer: Nothing,
  pause_consumer: Nothing,
  resume_consumer: Nothing,
  set_layers: Nothing,
  raise_hand: Nothing,
  send_text: z.object({ text: RoomText }),
  rename: Nothing,
  mute: Nothing,
  mute_all: z.object({ muted: z.int() }),
  remove: Nothing,
  set_role: Nothing,
  lower_hand: Nothing,
  lock: Nothing,
  unlock: Nothing,
  create_invite: z.object({ invite: CreatedInvite }),
  list_invites: InviteList,
  revoke_invite: Nothing,
  go_on_air: z.object({ on_air: RoomOnAir }),
  go_off_air: Nothing,
  start_recording: z.object({ recording: RoomRecording }),
  stop_recording: Nothing,
  end_room: Nothing,
} as const satisfies Record<RoomRequestType, z.ZodType>;
export type RoomAnswerOf<T extends RoomRequestType> = z.infer<(typeof ROOM_ANSWERS)[T]>;

/** What the server says to a request: `data` by {@link ROOM_ANSWERS}. */
export const RoomAnswer = z.discriminatedUnion("ok", [
  z.object({ id: RequestId, ok: z.literal(true), data: z.unknown() }),
  /** `id` is null where the request's own could not be read. */
  z.object({ id: RequestId.nullable(), ok: z.literal(false), error: ErrorBody.shape.error }),
]);
export type RoomAnswer = z.infer<typeof RoomAnswer>;
