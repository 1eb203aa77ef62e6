import { randomBytes } from "node:crypto";

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

function randomId(length: number): string {
  let id = "";
  for (const byte of randomBytes(length)) id += ALPHABET[byte & 31];
  return id;
}

/** 100 random bits: whoever has a room's address was given it. */
export const newRoomId = () => randomId(20);
export const newParticipantId = () => randomId(12);
export const newInviteId = () => randomId(20);
export const newRecordingId = () => randomId(12);
/** 160 random bits: it is a secret. */
export const newResumeToken = () => randomId(32);
