/** Message type ids (RTMP 1.0 §5.4, §6.2, §7.1). */
export const MESSAGE = {
  setChunkSize: 1,
  abort: 2,
  acknowledgement: 3,
  userControl: 4,
  windowAckSize: 5,
  setPeerBandwidth: 6,
  audio: 8,
  video: 9,
  dataAmf3: 15,
  sharedObjectAmf3: 16,
  commandAmf3: 17,
  dataAmf0: 18,
  sharedObjectAmf0: 19,
  commandAmf0: 20,
  aggregate: 22,
} as const;

/** User control event types (RTMP 1.0 §7.1.7). */
export const USER_CONTROL = {
  streamBegin: 0,
  streamEof: 1,
  streamDry: 2,
  setBufferLength: 3,
  streamIsRecorded: 4,
  pingRequest: 6,
  pingResponse: 7,
} as const;

/** A whole message, as the chunk reader hands it up. */
export interface RtmpMessage {
  /** One of `MESSAGE`, or something unknown. */
  readonly type: number;
  readonly messageStreamId: number;
  /** ms, unsigned 32 bits, as on the wire. */
  readonly timestamp: number;
  /** Owned by whoever receives the message. */
  readonly body: Buffer;
}
