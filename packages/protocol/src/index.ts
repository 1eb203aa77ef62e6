export * from "./channel.ts";
export * from "./error-code.ts";
export * from "./klieg-error.ts";
export * from "./stream.ts";
