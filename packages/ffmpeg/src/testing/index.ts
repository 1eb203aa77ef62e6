export * from "./fake-ffmpeg.ts";
export * from "./footage.ts";
