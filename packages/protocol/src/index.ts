export * from "./channel.ts";
export * from "./error-code.ts";
export * from "./klieg-error.ts";
export * from "./room.ts";
export * from "./room-event.ts";
export * from "./room-media.ts";
export * from "./room-request.ts";
export * from "./stream.ts";
