import type { RoomParticipant, RoomProducer, RoomRole, RoomSource } from "@klieg/protocol";
import { producerOf, qualityOf, type RoomSnapshot } from "@klieg/room";

/** Which of a guest's pictures its seat shows. */
export type GuestPicture = "camera" | "screen";

/** Somebody else in the room. A new object whenever anything of it changes. */
export interface Guest {
  /** Participant id: stays where one was cut off and came back. */
  readonly id: string;
  readonly name: string;
  readonly role: RoomRole;
  /** 1 to 16; undefined: in the room, and in no seat, so that nobody of the show's viewers sees or hears them. */
  readonly seat: number | undefined;
  /** false: cut off. Its place is kept for a minute, then it goes from the list. */
  readonly present: boolean;
  readonly handRaised: boolean;
  readonly camera: "live" | "paused" | "none";
  readonly microphone: "live" | "paused" | "muted_by_host" | "none";
  readonly sharesScreen: boolean;
  /** What {@link video} is of, where both are sent. */
  readonly picture: GuestPicture;
  /** What is received of them now: their seat shows and sounds the same. */
  readonly video: MediaStreamTrack | undefined;
  /** Their voice; with what their screen sounds like while that is the picture. */
  readonly audio: MediaStreamTrack | undefined;
  /** How well they arrive, 0 (bad) to 10; undefined where nothing does. */
  readonly quality: number | undefined;
}

/** What of a guest is the host's to say. */
export interface GuestPlace {
  readonly seat: number | undefined;
  readonly picture: GuestPicture;
}

/**
 * A guest as the room tells of them.
 * @param participant one who was cut off is in `snapshot` no more.
 * @param merge makes one track of two.
 */
export function guestOf(
  participant: RoomParticipant,
  snapshot: RoomSnapshot,
  place: GuestPlace,
  merge: (tracks: readonly MediaStreamTrack[]) => MediaStreamTrack,
): Guest {
  const { id, name, role } = participant;
  const present = snapshot.participants.some((one) => one.id === id);
  const camera = producerOf(snapshot, id, "camera");
  const microphone = producerOf(snapshot, id, "microphone");
  const screen = producerOf(snapshot, id, "screen");
  const picture = pictureOf(snapshot, id, place.picture);
  const received = (source: RoomSource) => {
    const producer = producerOf(snapshot, id, source);
    return producer ? snapshot.received[producer.id]?.track : undefined;
  };
  const voice = received("microphone");
  const screenSound = picture === "screen" ? received("screen_audio") : undefined;
  return {
    id,
    name,
    role,
    seat: place.seat,
    present,
    handRaised: participant.hand_raised_at !== null,
    camera: camera === null ? "none" : camera.paused ? "paused" : "live",
    microphone: microphoneOf(microphone),
    sharesScreen: screen !== null,
    picture,
    video: received(picture),
    audio: voice !== undefined && screenSound !== undefined ? merge([voice, screenSound]) : (voice ?? screenSound),
    quality: qualityOf(snapshot, id) ?? undefined,
  };
}

/** The picture that is shown: the one that the host chose, or the only one there is. */
function pictureOf(snapshot: RoomSnapshot, id: string, chosen: GuestPicture): GuestPicture {
  const other = chosen === "camera" ? "screen" : "camera";
  return producerOf(snapshot, id, chosen) === null && producerOf(snapshot, id, other) !== null ? other : chosen;
}

function microphoneOf(producer: RoomProducer | null): Guest["microphone"] {
  if (producer === null) return "none";
  if (!producer.paused) return "live";
  return producer.muted_by_host ? "muted_by_host" : "paused";
}
