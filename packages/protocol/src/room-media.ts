import { z } from "zod";

/**
 * mediasoup's objects as they cross the wire: in its own spelling, bounded here, checked in depth by mediasoup.
 */

const Name = z.string().max(256);
const Parameters = z.record(Name, z.union([z.string().max(1024), z.number(), z.boolean(), z.null()]));
const Feedback = z.looseObject({ type: Name, parameter: Name.optional() });
const PayloadType = z.int().min(0).max(127);
const Ssrc = z.int().min(0).max(0xffff_ffff);

/** `RtpCapabilities` */
export const RtpCapabilities = z.object({
  codecs: z
    .array(
      z.looseObject({
        kind: z.enum(["audio", "video"]),
        mimeType: Name,
        clockRate: z.int().positive(),
        channels: z.int().positive().optional(),
        preferredPayloadType: PayloadType.optional(),
        parameters: Parameters.optional(),
        rtcpFeedback: z.array(Feedback).max(16).optional(),
      }),
    )
    .max(64)
    .optional(),
  headerExtensions: z
    .array(
      z.looseObject({
        kind: z.enum(["audio", "video"]),
        uri: Name,
        preferredId: z.int().min(1).max(255),
        preferredEncrypt: z.boolean().optional(),
        direction: z.enum(["sendrecv", "sendonly", "recvonly", "inactive"]).optional(),
      }),
    )
    .max(64)
    .optional(),
});
export type RtpCapabilities = z.infer<typeof RtpCapabilities>;

/** `RtpParameters` */
export const RtpParameters = z.object({
  mid: Name.optional(),
  msid: Name.optional(),
  codecs: z
    .array(
      z.looseObject({
        mimeType: Name,
        payloadType: PayloadType,
        clockRate: z.int().positive(),
        channels: z.int().positive().optional(),
        parameters: Parameters.optional(),
        rtcpFeedback: z.array(Feedback).max(16).optional(),
      }),
    )
    .min(1)
    .max(16),
  headerExtensions: z
    .array(
      z.looseObject({
        uri: Name,
        id: z.int().min(1).max(255),
        encrypt: z.boolean().optional(),
        parameters: Parameters.optional(),
      }),
    )
    .max(32)
    .optional(),
  encodings: z
    .array(
      z.looseObject({
        ssrc: Ssrc.optional(),
        rid: Name.optional(),
        codecPayloadType: PayloadType.optional(),
        rtx: z.looseObject({ ssrc: Ssrc }).optional(),
        dtx: z.boolean().optional(),
        scalabilityMode: Name.optional(),
        scaleResolutionDownBy: z.number().positive().optional(),
        maxBitrate: z.number().positive().optional(),
      }),
    )
    .max(4)
    .optional(),
  rtcp: z.looseObject({ cname: Name.optional(), reducedSize: z.boolean().optional() }).optional(),
});
export type RtpParameters = z.infer<typeof RtpParameters>;

/** `DtlsParameters` */
export const DtlsParameters = z.object({
  role: z.enum(["auto", "client", "server"]).optional(),
  fingerprints: z
    .array(z.object({ algorithm: z.enum(["sha-1", "sha-224", "sha-256", "sha-384", "sha-512"]), value: Name }))
    .min(1)
    .max(8),
});
export type DtlsParameters = z.infer<typeof DtlsParameters>;

/** `IceParameters` */
export const IceParameters = z.looseObject({ usernameFragment: z.string(), password: z.string() });

/** `IceCandidate` */
export const IceCandidate = z.looseObject({
  foundation: z.string(),
  priority: z.int(),
  ip: z.string(),
  address: z.string(),
  protocol: z.enum(["udp", "tcp"]),
  port: z.int(),
  type: z.string(),
});
