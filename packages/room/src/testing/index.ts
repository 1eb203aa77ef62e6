/** A room for tests: its socket, its media and what one sends, each without a network. */
export * from "./fake-room.ts";
