import { z } from "zod";
import {
  ParticipantId,
  RoomOnAir,
  RoomParticipant,
  RoomProducer,
  RoomRecording,
  RoomRole,
  RoomSource,
  RoomState,
  RoomText,
} from "./room.ts";

const event = <T extends string, S extends z.core.$ZodLooseShape>(name: T, shape: S) =>
  z.object({ event: z.literal(name), ...shape });

/** Why something that ran for the whole room stopped by itself; null where somebody stopped it, or while it runs. */
const Failure = z.object({ code: z.string(), message: z.string() }).nullable();

/** RTC2: what a participant is told over `WS /v1/rooms/:id` without having asked. */
export const RoomEvent = z.discriminatedUnion("event", [
  event("participant_joined", { participant: RoomParticipant }),
  /** Name, role or hand. */
  event("participant_changed", { participant: RoomParticipant }),
  event("participant_left", {
    participant_id: ParticipantId,
    /** `left` said goodbye; `lost` was cut off and may come back with the same id; `removed` by a host. */
    reason: z.enum(["left", "lost", "removed"]),
  }),

  event("producer_added", { producer: RoomProducer }),
  /** Paused, resumed or muted by a host; one's own too. */
  event("producer_changed", { producer: RoomProducer }),
  /** One's own too, where it was not closed by oneself: role taken away. */
  event("producer_removed", { producer_id: z.string(), participant_id: ParticipantId, source: RoomSource }),

  /** Who can be heard, loudest first; sent some times a second while there are any, and once, empty, when it is quiet. */
  event("levels", {
    levels: z.array(
      z.object({
        participant_id: ParticipantId,
        /** dBov: -127 (silence) to 0. */
        level: z.number(),
      }),
    ),
  }),
  event("active_speaker", { participant_id: ParticipantId.nullable() }),

  /** Its producer was paused, or resumed. */
  event("consumer_paused", { consumer_id: z.string() }),
  event("consumer_resumed", { consumer_id: z.string() }),
  event("consumer_closed", { consumer_id: z.string(), producer_id: z.string() }),
  /** What is sent now; null while nothing is. */
  event("consumer_layers", {
    consumer_id: z.string(),
    spatial_layer: z.int().nullable(),
    temporal_layer: z.int().nullable(),
  }),
  event("consumer_score", {
    consumer_id: z.string(),
    /** 0 (bad) to 10: the way to this participant. */
    score: z.number(),
    /** 0 (bad) to 10: the sender's way to the server. */
    producer_score: z.number(),
  }),
  /** ICE or DTLS gave up: make another one. What it carried is closed. */
  event("transport_closed", { transport_id: z.string() }),

  event("text", { text: RoomText }),
  /** One's own role. Producers that it does not allow are closed. */
  event("role_changed", { role: RoomRole, by: ParticipantId }),
  event("muted_by_host", { source: RoomSource, by: ParticipantId }),
  /** The last thing that one is told; the socket closes. */
  event("removed", { reason: z.enum(["removed", "room_ended", "replaced"]), message: z.string() }),

  /** Title or lock; also holds the rest. */
  event("room_changed", { room: RoomState }),
  event("on_air", { on_air: RoomOnAir.nullable(), failure: Failure }),
  event("recording", { recording: RoomRecording.nullable(), failure: Failure }),

  /** Everything that carried media is gone, or soon is: join again with the resume token. The socket closes. */
  event("reconnect", { reason: z.enum(["worker_lost", "shutting_down"]), message: z.string() }),
]);
export type RoomEvent = z.infer<typeof RoomEvent>;
export type RoomEventName = RoomEvent["event"];
export type RoomEventOf<T extends RoomEventName> = Extract<RoomEvent, { event: T }>;
