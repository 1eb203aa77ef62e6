/** Numbers of the FLV tag body layouts: legacy (Adobe FLV 10.1 annex E) and Enhanced RTMP v2. */

/** VideoTagHeader FrameType, the first byte's high bits. */
export const FRAME_TYPE = { KEY: 1, INTER: 2, GENERATED_KEY: 4, COMMAND: 5 } as const;

/** Legacy CodecID. HEVC as 12 is no part of any specification, but what encoders made in China send. */
export const VIDEO_CODEC_ID = { AVC: 7, HEVC: 12 } as const;

/** AVCPacketType and AACPacketType. */
export const LEGACY_PACKET = { SEQUENCE_HEADER: 0, FRAME: 1, END_OF_SEQUENCE: 2 } as const;

/** Legacy SoundFormat; 9 marks an Enhanced RTMP header. */
export const SOUND_FORMAT = { MP3: 2, EX_HEADER: 9, AAC: 10, MP3_8K: 14 } as const;

/** VideoPacketType and AudioPacketType, as far as they agree. */
export const EX_PACKET = { SEQUENCE_START: 0, CODED_FRAMES: 1, SEQUENCE_END: 2, MOD_EX: 7 } as const;

export const EX_VIDEO_PACKET = { CODED_FRAMES_X: 3, METADATA: 4, MPEG2TS_SEQUENCE_START: 5, MULTITRACK: 6 } as const;

export const EX_AUDIO_PACKET = { MULTICHANNEL_CONFIG: 4, MULTITRACK: 5 } as const;

export const MULTITRACK = { ONE_TRACK: 0, MANY_TRACKS: 1, MANY_TRACKS_MANY_CODECS: 2 } as const;

/** ModEx type of a time stamp offset in nanoseconds. */
export const MOD_EX_TIMESTAMP_OFFSET_NANO = 0;
