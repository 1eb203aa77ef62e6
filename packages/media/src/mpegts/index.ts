export type { TsWarningCode } from "./stream-context.ts";
export { TsDemuxer, type TsDemuxerOptions, type TsStatistics, type TsStream } from "./ts-demuxer.ts";
export { TsMuxer, type TsMuxerOptions } from "./ts-muxer.ts";
