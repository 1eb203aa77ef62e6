import type { BroadcastState, GuestRoomState, ProgramState, RecordingState, ReplayState } from "./studio.ts";

// What the engine's states are before anything has begun, and are taken to be until the engine has told.

export const IDLE_BROADCAST: BroadcastState = {
  state: "idle",
  started_at: null,
  live_at: null,
  public_at: null,
  title: "",
  category: "",
  visibility: "public",
  destinations: [],
};

export const IDLE_PROGRAM: ProgramState = { state: "none", since: 0 };

export const IDLE_RECORDING: RecordingState = { state: "off", path: null, duration_ms: 0, bytes: 0, problem: null };

export const IDLE_REPLAY: ReplayState = { seconds: 0, held_ms: 0, bytes: 0 };

export const CLOSED_GUEST_ROOM: GuestRoomState = {
  state: "closed",
  destination_id: null,
  room_id: null,
  invite: null,
  problem: null,
};
