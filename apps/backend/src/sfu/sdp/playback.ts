import { KliegError } from "@klieg/protocol";
import type { types } from "mediasoup";
import { canRetransmitAs, type LaidOutCodec, type PayloadLayout, payloadLayout } from "../payload-layout.ts";
import { bundledTransport } from "./bundle.ts";
import { closestH264, isSameH264 } from "./h264-profile.ts";
import { sentExtensions } from "./header-extensions.ts";
import type { Offer, OfferSection, OfferTransport } from "./offer.ts";
import type { OfferCodec } from "./offer-codec.ts";
import { invalid } from "./sdp-text.ts";

/** How an offer that receives is served. */
export interface Playback {
  readonly transport: OfferTransport;
  /** What is sent. */
  readonly tracks: readonly PlayedTrack[];
  /** Sections that could be sent to, but there is nothing of their kind. */
  readonly idle: readonly { readonly section: OfferSection; readonly codec: OfferCodec }[];
  readonly layout: PayloadLayout;
}

export interface PlayedTrack {
  readonly producer: types.Producer;
  readonly section: OfferSection;
  /** The one of the section's codecs under which it is sent. */
  readonly codec: OfferCodec;
  /** For mediasoup's consumer. */
  readonly rtpCapabilities: types.RtpCapabilities;
}

/** Parameters of a codec that decide whether routers take it for the same one. */
const DECISIVE = ["profile-level-id", "packetization-mode", "level-asymmetry-allowed", "profile-id", "profile", "tier"];

/** Whether an offer that receives has a codec for `producer`; or asks for nothing of its kind. */
export function canPlay(offer: Offer, producer: types.Producer): boolean {
  const section = receivingSection(offer, producer.kind);
  return section === undefined || codecFor(section, producer) !== undefined;
}

/**
 * Chooses how producers are sent to an offer that receives (draft-ietf-wish-whep): the first section of each kind.
 * @throws {KliegError} `sdp_invalid`; `media_unsupported` where it has no codec for a producer.
 */
export function acceptPlayback(offer: Offer, producers: readonly types.Producer[]): Playback {
  const sections = (["video", "audio"] as const).flatMap((kind) => receivingSection(offer, kind) ?? []);
  if (sections.length === 0) throw invalid("it receives neither picture nor sound");
  const tracks: PlayedTrack[] = [];
  const idle: Playback["idle"][number][] = [];
  for (const section of sections) {
    const producer = producers.find(({ kind }) => kind === section.kind);
    if (producer !== undefined) tracks.push(playedTrack(section, producer));
    else if (section.codecs[0] !== undefined) idle.push({ section, codec: section.codecs[0] });
  }
  if (tracks.length === 0) {
    throw new KliegError("media_unsupported", "This stream has nothing of what the offer asks for.");
  }
  const transport = bundledTransport(
    offer,
    [...tracks, ...idle].map(({ section }) => section),
  );
  return { transport, tracks, idle, layout: layoutOf(tracks) };
}

function receivingSection(offer: Offer, kind: types.MediaKind): OfferSection | undefined {
  return offer.sections.find(
    (section) =>
      section.usable && section.kind === kind && (section.direction === "recvonly" || section.direction === "sendrecv"),
  );
}

function codecFor(section: OfferSection, producer: types.Producer): OfferCodec | undefined {
  const [sent] = producer.rtpParameters.codecs;
  if (sent === undefined) return undefined;
  const parameters = sent.parameters ?? {};
  // Its spatial layers can only be told apart by a header extension that viewers are not sent.
  if (sent.mimeType.toLowerCase() === "video/av1" && hasSpatialLayers(producer)) return undefined;
  const same = section.codecs.filter(
    (codec) =>
      codec.mimeType.toLowerCase() === sent.mimeType.toLowerCase() &&
      codec.clockRate === sent.clockRate &&
      (codec.channels ?? 1) === (sent.channels ?? 1),
  );
  switch (sent.mimeType.toLowerCase()) {
    case "video/h264":
      // Decoders take more than the profiles that their browser lists.
      return same.find((codec) => isSameH264(codec.parameters, parameters)) ?? closestH264(same, parameters);
    case "video/vp9":
      return same.find(
        (codec) => Number(codec.parameters["profile-id"] ?? 0) === Number(parameters["profile-id"] ?? 0),
      );
    case "video/av1":
      return same.find((codec) => Number(codec.parameters.profile ?? 0) === Number(parameters.profile ?? 0));
    default:
      return same[0];
  }
}

function hasSpatialLayers({ rtpParameters: { encodings = [] } }: types.Producer): boolean {
  return encodings.length === 1 && /^[LS][2-9]/.test(encodings[0]?.scalabilityMode ?? "");
}

function playedTrack(section: OfferSection, producer: types.Producer): PlayedTrack {
  const [sent] = producer.rtpParameters.codecs;
  const codec = codecFor(section, producer);
  if (codec === undefined || sent === undefined) {
    const what = producer.kind === "video" ? "picture" : "sound";
    const name = sent?.mimeType.slice(sent.mimeType.indexOf("/") + 1) ?? "of no codec";
    throw new KliegError("media_unsupported", `This stream's ${what} is ${name}, which the offer does not have.`);
  }
  const { kind } = producer;
  const { clockRate, channels } = codec;
  const own = { kind, mimeType: sent.mimeType, clockRate, ...(channels === undefined ? {} : { channels }) };
  return {
    producer,
    section,
    codec,
    rtpCapabilities: {
      codecs: [
        {
          ...own,
          preferredPayloadType: codec.payloadType,
          parameters: decisive(sent.parameters),
          rtcpFeedback: [...codec.feedback],
        },
        ...(rtxOf(kind, codec) === undefined
          ? []
          : [
              {
                kind,
                mimeType: `${kind}/rtx`,
                clockRate,
                preferredPayloadType: codec.rtx ?? 0,
                parameters: { apt: codec.payloadType },
                rtcpFeedback: [],
              },
            ]),
      ],
      headerExtensions: sentExtensions(section.extensions).map(({ id, uri }) => ({ kind, uri, preferredId: id })),
    },
  };
}

/** Where they cannot have the payload type that the peer wants, packets are sent again as they were. */
function rtxOf(kind: types.MediaKind, codec: OfferCodec): number | undefined {
  return kind === "video" && codec.rtx !== undefined && canRetransmitAs(codec.rtx) ? codec.rtx : undefined;
}

function layoutOf(tracks: readonly PlayedTrack[]): PayloadLayout {
  try {
    return payloadLayout(
      tracks.map(
        ({ producer, codec }): LaidOutCodec => ({
          kind: producer.kind,
          mimeType: producer.rtpParameters.codecs[0]?.mimeType ?? codec.mimeType,
          clockRate: codec.clockRate,
          channels: codec.channels,
          parameters: decisive(producer.rtpParameters.codecs[0]?.parameters),
          payloadType: codec.payloadType,
          rtx: rtxOf(producer.kind, codec),
        }),
      ),
    );
  } catch (error) {
    if (error instanceof RangeError) throw invalid("two of its codecs have the same payload type");
    throw error;
  }
}

function decisive(parameters: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return Object.fromEntries(Object.entries(parameters).filter(([name]) => DECISIVE.includes(name)));
}
