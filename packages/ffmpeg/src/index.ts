export * from "./ffmpeg-binary.ts";
export * from "./ffmpeg-command.ts";
export * from "./ffmpeg-process.ts";
export * from "./ffmpeg-run.ts";
export * from "./hardware-encoder.ts";
export * from "./rendition-output.ts";
export * from "./rung.ts";
export * from "./video-encoder.ts";
