import type { RoomEvent } from "@klieg/protocol";
import type { Happening } from "./notice.ts";
import { participantOf, type RoomSnapshot } from "./room-snapshot.ts";

/** In a larger room only what one has to do something about gets a line. */
const CROWD = 20;

/** What of an event is worth a line to whom it is told. Pure. @param before the room before the event. */
export function happeningsOf(before: RoomSnapshot, event: RoomEvent): readonly Happening[] {
  const nameOf = (id: string | null) => participantOf(before, id)?.name ?? "";
  switch (event.event) {
    case "participant_joined":
      return before.participants.length > CROWD ? [] : [{ kind: "joined", name: event.participant.name }];
    case "participant_left": {
      const name = nameOf(event.participant_id);
      if (name === "" || (before.participants.length > CROWD && event.reason !== "removed")) return [];
      return [{ kind: event.reason, name }];
    }
    case "participant_changed": {
      const { participant } = event;
      const was = participantOf(before, participant.id);
      if (participant.id === before.selfId) {
        return was?.hand_raised_at && !participant.hand_raised_at ? [{ kind: "hand_lowered" }] : [];
      }
      return participant.hand_raised_at && !was?.hand_raised_at && was
        ? [{ kind: "hand_raised", name: participant.name }]
        : [];
    }
    case "producer_added": {
      const { participant_id: id, source } = event.producer;
      if (source !== "screen" || id === before.selfId) return [];
      return [{ kind: "screen_shared", name: nameOf(id) }];
    }
    case "muted_by_host":
      return [{ kind: "muted", name: nameOf(event.by), source: event.source }];
    case "role_changed":
      return [{ kind: "role", role: event.role }];
    case "text":
      return event.text.participant_id === before.selfId
        ? []
        : [{ kind: "text", name: event.text.name, text: event.text.text }];
    case "room_changed":
      if (!before.room || before.room.locked === event.room.locked) return [];
      return [{ kind: event.room.locked ? "locked" : "unlocked" }];
    case "on_air": {
      const was = before.room?.on_air ?? null;
      if (event.failure) return [{ kind: "problem", ...event.failure }];
      if (event.on_air?.state === "live" && was?.state !== "live") {
        return [{ kind: "on_air", channel: event.on_air.channel }];
      }
      return was && !event.on_air ? [{ kind: "off_air" }] : [];
    }
    case "recording": {
      const was = before.room?.recording ?? null;
      if (event.failure) return [{ kind: "problem", ...event.failure }];
      if (event.recording && !was) return [{ kind: "recording_started" }];
      return was && !event.recording ? [{ kind: "recording_stopped" }] : [];
    }
    default:
      return [];
  }
}
