export * from "./amf-value.ts";
export { decodeAmf0 } from "./amf0-decode.ts";
export { encodeAmf0 } from "./amf0-encode.ts";
export {
  CAPS_EX,
  type EnhancedCapabilities,
  FOURCC_INFO,
  SERVER_CAPABILITIES,
} from "./enhanced.ts";
export type { HandshakeKind } from "./handshake.ts";
export * from "./publish.ts";
export { type PublishStage, RtmpPublishError } from "./publish-error.ts";
export { type RtmpErrorCode, RtmpProtocolError } from "./rtmp-error.ts";
export { type PublisherEvents, type PublisherOptions, type PublisherStatus, RtmpPublisher } from "./rtmp-publisher.ts";
export {
  type RtmpAddress,
  type RtmpListenOptions,
  RtmpServer,
  type RtmpServerEvents,
  type RtmpServerOptions,
} from "./rtmp-server.ts";
export { parseRtmpUrl, type RtmpTarget } from "./rtmp-url.ts";
export { DEFAULT_SERVER_LIMITS, type ServerLimits } from "./server-limits.ts";
