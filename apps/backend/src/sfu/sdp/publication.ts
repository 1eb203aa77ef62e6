import { KliegError } from "@klieg/protocol";
import type { types } from "mediasoup";
import { bundledTransport } from "./bundle.ts";
import { isSameH264, packetizationMode } from "./h264-profile.ts";
import { RID, receivedExtensions, TRANSPORT_CC } from "./header-extensions.ts";
import type { Offer, OfferSection, OfferTransport } from "./offer.ts";
import type { OfferCodec } from "./offer-codec.ts";
import type { OfferRid, OfferStreams } from "./offer-streams.ts";
import { invalid } from "./sdp-text.ts";

/** Names of video codecs as profiles and tracks have them, most wanted first: H.264 goes into LL-HLS as it is. */
export const WEBRTC_VIDEO_CODECS = ["h264", "av1", "vp9", "vp8"] as const;

/** What of an offer that sends is taken in: one picture, one sound. */
export interface Publication {
  readonly transport: OfferTransport;
  readonly video: PublishedTrack | undefined;
  readonly audio: PublishedTrack | undefined;
}

export interface PublishedTrack {
  readonly section: OfferSection;
  readonly codec: OfferCodec;
  /** For mediasoup's producer. */
  readonly rtpParameters: types.RtpParameters;
  /** Simulcast layers as the answer names them, in the offer's order; none where it is no simulcast. */
  readonly rids: readonly OfferRid[];
}

export interface PublicationRules {
  /** What may be sent. */
  readonly videoCodecs: ReadonlySet<string>;
  readonly audioCodecs: ReadonlySet<string>;
  /** What the SFU's routers carry. */
  readonly routerCodecs: readonly types.RouterRtpCodecCapability[];
  /**
   * Layers of each video encoding (https://www.w3.org/TR/webrtc-svc/#scalabilitymodes), which an offer does not tell;
   * undefined where they are not known: then everything is sent to everybody.
   */
  readonly scalabilityMode?: string;
}

/** Scalability modes that a publisher may announce. */
export const SCALABILITY_MODE = /^[LS][1-3]T[1-3](_KEY)?$/;

/** Feedback that mediasoup gives to a sender. */
const FEEDBACK = new Set(["nack ", "nack pli", "ccm fir", "goog-remb ", "transport-cc "]);

/**
 * Chooses what to take of an offer that sends (RFC 9725 § 4.2): its first picture and its first sound, one codec each.
 * @throws {KliegError} `sdp_invalid`; `codec_not_allowed` where it only has codecs that are not taken here.
 */
export function acceptPublication(offer: Offer, rules: PublicationRules): Publication {
  const sending = offer.sections.filter(
    ({ usable, direction }) => usable && (direction === "sendonly" || direction === "sendrecv"),
  );
  const videoSection = sending.find(({ kind }) => kind === "video");
  const audioSection = sending.find(({ kind }) => kind === "audio");
  const sections = [videoSection, audioSection].filter((section) => section !== undefined);
  if (sections.length === 0) throw invalid("it sends neither picture nor sound");
  const transport = bundledTransport(offer, sections);
  return {
    transport,
    video:
      videoSection === undefined
        ? undefined
        : publishedTrack(videoSection, chooseVideo(videoSection, rules), rules.scalabilityMode),
    audio:
      audioSection === undefined
        ? undefined
        : publishedTrack(audioSection, chooseAudio(audioSection, rules), undefined),
  };
}

/** What a codec is called in profiles and tracks: `h264`, `opus`. */
export function codecName(codec: OfferCodec): string {
  return codec.mimeType.slice(codec.mimeType.indexOf("/") + 1).toLowerCase();
}

function chooseVideo({ codecs }: OfferSection, rules: PublicationRules): OfferCodec {
  const carried = codecs.filter((codec) => isCarried(codec, rules));
  const allowed = carried.filter((codec) => rules.videoCodecs.has(codecName(codec)));
  for (const name of WEBRTC_VIDEO_CODECS) {
    const of = allowed.filter((codec) => codecName(codec) === name);
    // Fragmentation first: what fits a packet is all that there is without it.
    const best = of.find((codec) => name !== "h264" || packetizationMode(codec.parameters) === 1) ?? of[0];
    if (best !== undefined) return best;
  }
  const wanted = WEBRTC_VIDEO_CODECS.filter((name) => rules.videoCodecs.has(name));
  throw notAllowed("video", codecs, wanted);
}

function chooseAudio({ codecs }: OfferSection, rules: PublicationRules): OfferCodec {
  const opus = codecs.find((codec) => isCarried(codec, rules) && rules.audioCodecs.has(codecName(codec)));
  if (opus === undefined) throw notAllowed("audio", codecs, rules.audioCodecs.has("opus") ? ["opus"] : []);
  return opus;
}

function notAllowed(kind: string, offered: readonly OfferCodec[], wanted: readonly string[]): KliegError {
  const has = [...new Set(offered.map((codec) => codecName(codec).toUpperCase()))].slice(0, 8).join(", ");
  const takes =
    wanted.length === 0
      ? `This channel takes no ${kind} codec that WebRTC has`
      : `This channel takes ${wanted.map((name) => name.toUpperCase()).join(" or ")} by WebRTC`;
  return new KliegError(
    "codec_not_allowed",
    `${takes}; the offer has ${has === "" ? `no ${kind} codec` : has} for its ${kind === "video" ? "picture" : "sound"}.`,
  );
}

function isCarried(codec: OfferCodec, { routerCodecs }: PublicationRules): boolean {
  return routerCodecs.some((router) => {
    if (router.mimeType.toLowerCase() !== codec.mimeType.toLowerCase()) return false;
    if (router.clockRate !== codec.clockRate || (router.channels ?? 1) !== (codec.channels ?? 1)) return false;
    const parameters = router.parameters ?? {};
    switch (codecName(codec)) {
      case "h264":
        return isSameH264(parameters, codec.parameters);
      case "vp9":
        return Number(parameters["profile-id"] ?? 0) === Number(codec.parameters["profile-id"] ?? 0);
      default:
        return true;
    }
  });
}

function publishedTrack(section: OfferSection, codec: OfferCodec, scalabilityMode: string | undefined): PublishedTrack {
  const extensions = receivedExtensions(section.extensions);
  const hasTransportCc =
    extensions.some(({ uri }) => uri === TRANSPORT_CC) && codec.feedback.some(({ type }) => type === "transport-cc");
  const rtcpFeedback = codec.feedback.filter(
    ({ type, parameter = "" }) =>
      // One kind of bandwidth estimation is enough.
      FEEDBACK.has(`${type} ${parameter}`) && !(hasTransportCc && type === "goog-remb"),
  );
  const hasRid = extensions.some(({ uri }) => uri === RID);
  const rids = hasRid && section.streams.rids.length > 1 ? section.streams.rids : [];
  const mid = section.mid;
  return {
    section,
    codec,
    rids,
    rtpParameters: {
      ...(mid === undefined ? {} : { mid }),
      codecs: [
        {
          mimeType: codec.mimeType,
          payloadType: codec.payloadType,
          clockRate: codec.clockRate,
          ...(codec.channels === undefined ? {} : { channels: codec.channels }),
          parameters: { ...codec.parameters },
          rtcpFeedback,
        },
        ...(codec.rtx === undefined
          ? []
          : [
              {
                mimeType: `${section.kind}/rtx`,
                payloadType: codec.rtx,
                clockRate: codec.clockRate,
                parameters: { apt: codec.payloadType },
                rtcpFeedback: [],
              },
            ]),
      ],
      headerExtensions: extensions,
      encodings: encodingsOf(section.streams, rids, codec).map((encoding) => ({
        ...encoding,
        ...(scalabilityMode === undefined ? {} : { scalabilityMode }),
      })),
      rtcp: { cname: section.streams.cname ?? "klieg", reducedSize: true },
    },
  };
}

/** Lowest layer first, as mediasoup wants them. */
function encodingsOf(
  streams: OfferStreams,
  rids: readonly OfferRid[],
  codec: OfferCodec,
): types.RtpEncodingParameters[] {
  if (rids.length > 0) return lowestFirst(rids).map(({ id }) => ({ rid: id }));
  const sent = streams.ssrcSimulcast ? streams.ssrcs : streams.ssrcs.slice(0, 1);
  // Without an SSRC the stream is found by its mid.
  if (sent.length === 0) return [{}];
  return sent.map(({ ssrc, rtx }) => ({
    ssrc,
    ...(rtx === undefined || codec.rtx === undefined ? {} : { rtx: { ssrc: rtx } }),
  }));
}

/** Names that senders give their layers by custom, lowest first. */
const CUSTOMARY: readonly (readonly string[])[] = [
  ["q", "h", "f"],
  ["l", "m", "h"],
  ["lo", "mid", "hi"],
  ["low", "mid", "high"],
  ["low", "medium", "high"],
  ["s", "m", "l"],
  ["small", "medium", "large"],
];

/**
 * The layers from the lowest to the highest: by what the offer says of their size or bit rate, else by their customary
 * names. OBS numbers its layers and begins with the best. Others are taken as they are listed: most begin with the lowest.
 */
export function lowestFirst(rids: readonly OfferRid[]): OfferRid[] {
  for (const restriction of ["max-width", "max-height", "max-fs", "max-br"]) {
    const sizes = rids.map(({ restrictions }) => restrictions[restriction]);
    // The highest often goes without.
    if (sizes.filter((size) => size === undefined).length > 1 || new Set(sizes).size < rids.length) continue;
    const size = (rid: OfferRid) => rid.restrictions[restriction] ?? Number.POSITIVE_INFINITY;
    return [...rids].sort((a, b) => size(a) - size(b));
  }
  if (rids.every(({ id }) => /^\d+$/.test(id))) return [...rids].sort((a, b) => Number(b.id) - Number(a.id));
  const order = CUSTOMARY.find((names) => rids.every(({ id }) => names.includes(id.toLowerCase())));
  if (order === undefined) return [...rids];
  return [...rids].sort((a, b) => order.indexOf(a.id.toLowerCase()) - order.indexOf(b.id.toLowerCase()));
}
