export { type RtpCodec, RtpDemuxer, type RtpDemuxerOptions, type RtpStreamOptions } from "./rtp-demuxer.ts";
export {
  type RtpHeaderExtension,
  type RtpHeaderFields,
  RtpPacket,
  rtpHeaderBytes,
  writeRtpHeader,
} from "./rtp-packet.ts";
export { RtpPacketizer, type RtpPacketizerOptions, type RtpPayloadCodec } from "./rtp-packetizer.ts";
export type { RtpStream, RtpStreamStatistics } from "./rtp-stream.ts";
export { sequenceDistance, unwrapRtpTimestamp, unwrapSequenceNumber } from "./rtp-unwrap.ts";
export type { RtpWarningCode } from "./rtp-warning.ts";
export type { SenderReportTime } from "./sender-clock.ts";
export { readSenderReports, type SenderReport, writeSenderReport } from "./sender-report.ts";
