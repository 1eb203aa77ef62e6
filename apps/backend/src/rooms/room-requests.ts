import {
  KliegError,
  type RoomAnswerOf,
  type RoomRequest,
  type RoomRequestOf,
  type RoomRequestType,
  type RoomSource,
  type RoomTransport,
} from "@klieg/protocol";
import type { Logger } from "../ports/logger.ts";
import type { IceServers } from "../sfu/ice-servers.ts";
import type { Participant } from "./participant.ts";
import type { Room } from "./room.ts";
import type { RoomPrograms } from "./room-programs.ts";
import type { Rooms } from "./rooms.ts";

/** One participant's place in a room, from which it asks. */
export interface RoomPlace {
  readonly rooms: Rooms;
  readonly programs: RoomPrograms;
  readonly room: Room;
  readonly participant: Participant;
  readonly iceServers: IceServers;
  readonly logger: Logger;
}

type Asked = Exclude<RoomRequestType, "join">;
type Handlers = { [T in Asked]: (place: RoomPlace, request: RoomRequestOf<T>) => Promise<RoomAnswerOf<T>> };

/**
 * Does what a participant asks for.
 * @throws {KliegError} in words for the participant.
 */
export function answerRequest(place: RoomPlace, request: Exclude<RoomRequest, { type: "join" }>): Promise<unknown> {
  const { type } = request;
  if (HOST_ONLY.has(type) && place.participant.role !== "host") {
    return Promise.reject(new KliegError("forbidden", "Only a host can do this."));
  }
  const handler = HANDLERS[type] as (place: RoomPlace, request: RoomRequest) => Promise<unknown>;
  return handler(place, request);
}

const HOST_ONLY: ReadonlySet<RoomRequestType> = new Set<RoomRequestType>([
  "mute",
  "mute_all",
  "remove",
  "set_role",
  "lower_hand",
  "lock",
  "unlock",
  "create_invite",
  "list_invites",
  "revoke_invite",
  "go_on_air",
  "go_off_air",
  "start_recording",
  "stop_recording",
  "end_room",
]);

const HANDLERS: Handlers = {
  async ping() {
    return {};
  },

  async create_transport({ participant, iceServers }, request) {
    if (request.direction === "send" && participant.role === "attendee") {
      throw new KliegError("forbidden", "Raise your hand: a host can let you speak.");
    }
    const { transport } = await participant.media.openTransport(request.direction, request.rtp_capabilities);
    return {
      id: transport.id,
      ice_parameters: { ...transport.iceParameters },
      ice_candidates: transport.iceCandidates.map((candidate) => ({ ...candidate })),
      dtls_parameters: transport.dtlsParameters as RoomTransport["dtls_parameters"],
      ice_servers: issueIceServers(iceServers, participant),
    };
  },

  async connect_transport({ participant }, { transport_id, dtls_parameters }) {
    await participant.media.connectTransport(transport_id, dtls_parameters);
    return {};
  },

  async restart_ice({ participant, iceServers }, { transport_id }) {
    const parameters = await participant.media.restartIce(transport_id);
    return { ice_parameters: { ...parameters }, ice_servers: issueIceServers(iceServers, participant) };
  },

  async close_transport({ participant }, { transport_id }) {
    participant.media.closeTransport(transport_id);
    return {};
  },

  async produce({ room, participant }, request) {
    const maySend = () => {
      if (participant.role === "attendee") {
        throw new KliegError("forbidden", "Raise your hand: a host can let you speak.");
      }
    };
    maySend();
    const held = await participant.media.produce({
      transportId: request.transport_id,
      source: request.source,
      rtpParameters: request.rtp_parameters,
      paused: request.paused,
    });
    try {
      // The role may have been taken away while the worker made it.
      maySend();
    } catch (error) {
      participant.media.closeProducer(held);
      throw error;
    }
    room.announceProducer(participant, held, true);
    return { producer: participant.media.describe(held) };
  },

  async close_producer({ participant }, { producer_id }) {
    participant.media.closeProducer(participant.media.producer(producer_id));
    return {};
  },

  async pause_producer({ room, participant }, { producer_id }) {
    const held = participant.media.producer(producer_id);
    await participant.media.pauseProducer(held);
    room.announceProducer(participant, held, false);
    return {};
  },

  async resume_producer({ room, participant }, { producer_id }) {
    const held = participant.media.producer(producer_id);
    await participant.media.resumeProducer(held);
    held.mutedByHost = false;
    room.announceProducer(participant, held, false);
    return {};
  },

  async consume({ participant }, { transport_id, producer_id }) {
    return { consumer: await participant.media.consume(transport_id, producer_id) };
  },

  async close_consumer({ participant }, { consumer_id }) {
    participant.media.closeConsumer(consumer_id);
    return {};
  },

  async pause_consumer({ participant }, { consumer_id }) {
    await participant.media.pauseConsumer(consumer_id);
    return {};
  },

  async resume_consumer({ participant }, { consumer_id }) {
    await participant.media.resumeConsumer(consumer_id);
    return {};
  },

  async set_layers({ participant }, { consumer_id, spatial_layer, temporal_layer, priority }) {
    await participant.media.setLayers(consumer_id, { spatial: spatial_layer, temporal: temporal_layer, priority });
    return {};
  },

  async raise_hand({ room, participant }, { raised }) {
    const { seat } = participant;
    if (raised === (seat.handRaisedAt !== undefined)) return {};
    seat.handRaisedAt = raised ? room.wall : undefined;
    room.announceParticipant(participant);
    return {};
  },

  async send_text({ room, participant }, { text }) {
    return { text: room.write(participant, text) };
  },

  async rename({ room, participant }, { name }) {
    if (participant.seat.name === name) return {};
    participant.seat.name = name;
    room.announceParticipant(participant);
    return {};
  },

  async mute(place, { participant_id, source }) {
    const target = place.room.participant(participant_id);
    if (!(await mute(place, target, source))) {
      throw new KliegError("not_found", "They do not send that.");
    }
    audit(place, "mute", { target: target.id, source });
    return {};
  },

  async mute_all(place, { source }) {
    const others = [...place.room.participants.values()].filter(({ role }) => role !== "host");
    const muted = (await Promise.all(others.map((other) => mute(place, other, source)))).filter(Boolean).length;
    audit(place, "mute_all", { source, muted });
    return { muted };
  },

  async remove(place, { participant_id }) {
    const target = place.room.participant(participant_id);
    if (target === place.participant) {
      throw new KliegError("conflict", "You cannot remove yourself; leave the room instead.");
    }
    audit(place, "remove", { target: target.id, name: target.seat.name, remote: target.remoteAddress });
    await place.rooms.remove(place.room, target);
    return {};
  },

  async set_role(place, { participant_id, role }) {
    const { room } = place;
    const target = room.participant(participant_id);
    const hosts = [...room.participants.values()].filter((one) => one.role === "host");
    if (target.role === "host" && role !== "host" && hosts.length === 1) {
      throw new KliegError("conflict", "The room needs a host: make somebody else one first.");
    }
    audit(place, "set_role", { target: target.id, role });
    room.changeRole(target, role, place.participant);
    return {};
  },

  async lower_hand({ room }, { participant_id }) {
    const target = room.participant(participant_id);
    if (target.seat.handRaisedAt === undefined) return {};
    target.seat.handRaisedAt = undefined;
    room.announceParticipant(target);
    return {};
  },

  async lock(place) {
    await place.rooms.setLocked(place.room.id, true);
    audit(place, "lock", {});
    return {};
  },

  async unlock(place) {
    await place.rooms.setLocked(place.room.id, false);
    audit(place, "unlock", {});
    return {};
  },

  async create_invite(place, { role, expires_in_s, label }) {
    const invite = await place.rooms.createInvite(place.room.id, { role, expiresInS: expires_in_s, label });
    audit(place, "create_invite", { invite: invite.id, role });
    return { invite };
  },

  async list_invites({ rooms, room }) {
    return { invites: await rooms.listInvites(room.id) };
  },

  async revoke_invite(place, { invite_id }) {
    await place.rooms.revokeInvite(place.room.id, invite_id);
    audit(place, "revoke_invite", { invite: invite_id });
    return {};
  },

  async go_on_air(place, { layout }) {
    const on_air = await place.programs.goOnAir(place.room, layout);
    audit(place, "go_on_air", { channel: on_air.channel, layout });
    return { on_air };
  },

  async go_off_air(place) {
    await place.programs.goOffAir(place.room);
    audit(place, "go_off_air", {});
    return {};
  },

  async start_recording(place, { layout }) {
    const recording = await place.programs.startRecording(place.room, layout);
    audit(place, "start_recording", { recording: recording.id });
    return { recording };
  },

  async stop_recording(place) {
    await place.programs.stopRecording(place.room);
    audit(place, "stop_recording", {});
    return {};
  },

  async end_room(place) {
    audit(place, "end_room", {});
    await place.rooms.end(place.room.id);
    return {};
  },
};

/** @returns whether there was anything to mute. */
async function mute({ room, participant }: RoomPlace, target: Participant, source: RoomSource): Promise<boolean> {
  const held = target.media.producerOf(source);
  if (held === undefined) return false;
  if (held.producer.paused && held.mutedByHost) return true;
  held.mutedByHost = true;
  try {
    await target.media.pauseProducer(held);
  } catch (error) {
    // They stopped sending it in the meantime: muted enough.
    if (error instanceof KliegError && error.code === "gone") return true;
    throw error;
  }
  target.tell({ event: "muted_by_host", source, by: participant.id });
  room.announceProducer(target, held, false);
  return true;
}

function issueIceServers(iceServers: IceServers, participant: Participant) {
  return iceServers.issue(participant.id).map((server) => ({ ...server, urls: [...server.urls] }));
}

/** Who did what to whom: what a host does is written down. */
function audit({ room, participant, logger }: RoomPlace, action: string, fields: object): void {
  logger.info({ audit: true, room: room.id, actor: participant.id, action, ...fields }, "host action");
}
