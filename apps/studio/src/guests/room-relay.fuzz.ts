import { defineFuzzTarget } from "@klieg/base/fuzz";
import { KliegError, ROOM_ANSWERS } from "@klieg/protocol";
import { RoomRelay } from "./room-relay.ts";

const HOST_TOKEN = "the host's own token";

const MESSAGES: readonly object[] = [
  { id: 1, type: "join", token: "studio", name: "Studio" },
  { id: 2, type: "remove", participant_id: "guestguest" },
  { id: 3, type: "set_layers", consumer_id: "c", spatial_layer: 1 },
  { id: 4, type: "create_invite", role: "host" },
  { event: "levels", levels: [{ participant_id: "guestguest", level: -20 }] },
  { event: "removed", reason: "removed", message: "" },
  { id: 1, ok: true, data: { resume_token: HOST_TOKEN } },
  { id: 1, ok: false, error: { code: "invite_invalid", message: "no", retryable: false } },
  ...Object.keys(ROOM_ANSWERS).map((type) => ({ id: 5, type })),
];

export const fuzzTargets = [
  defineFuzzTarget({
    name: "studio-room-relay",
    corpus: async () => MESSAGES.map((message) => Buffer.from(JSON.stringify(message))),
    run: (input) => {
      const relay = new RoomRelay({
        tokens: () => ({ invite: HOST_TOKEN, resume: undefined }),
        onResumeToken: () => undefined,
        onRemoved: () => undefined,
      });
      const text = Buffer.from(input).toString("utf8");
      relay.toRoom(JSON.stringify(MESSAGES[0]));
      const told = relay.toPage(text) ?? "";
      const sent = relay.toRoom(text);
      return told.length + sent.length;
    },
    isExpectedError: (error) => error instanceof KliegError,
    maxOutputBytes: (bytes) => bytes * 4 + 4096,
  }),
];
