import { randomInt } from "node:crypto";
import type { types } from "mediasoup";
import { type MediaDescription, type SessionDescription, write } from "sdp-transform";
import type { Offer, OfferSection, SdpDirection } from "./offer.ts";
import type { OfferCodec } from "./offer-codec.ts";
import { invalid } from "./sdp-text.ts";

/** This end of ICE and DTLS. */
export interface LocalTransport {
  readonly iceParameters: types.IceParameters;
  readonly iceCandidates: readonly types.IceCandidate[];
  readonly dtlsParameters: types.DtlsParameters;
  /** RFC 8842: `passive` waits for the peer to begin the handshake. */
  readonly setup: "active" | "passive";
}

/** A section that is taken. */
export interface AnswerSection {
  readonly direction: SdpDirection;
  readonly codec: OfferCodec;
  /** With the codec's feedback reduced to what is given. */
  readonly feedback: readonly types.RtcpFeedback[];
  readonly rtx: boolean;
  /** Text of the `fmtp` line; undefined for none. */
  readonly config: string | undefined;
  readonly extensions: readonly types.RtpHeaderExtensionParameters[];
  /** Simulcast layers that are received, in the offer's order. */
  readonly rids?: readonly string[];
  /** What is sent. */
  readonly stream?: {
    readonly id: string;
    readonly track: string;
    readonly cname: string;
    readonly ssrc: number;
    readonly rtxSsrc: number | undefined;
  };
}

/**
 * Writes the answer (RFC 8829 § 5.3): ICE-lite, every candidate at once, one transport for all sections; a section
 * without an entry in `sections` is turned down.
 * @param sections by index in the offer.
 */
export function writeAnswer(
  offer: Offer,
  sections: ReadonlyMap<number, AnswerSection>,
  transport: LocalTransport,
): string {
  const bundled: string[] = [];
  let carriesCandidates = false;
  const media = offer.sections.map((section): MediaDescription => {
    const taken = sections.get(section.index);
    if (taken === undefined) return refusedSection(section);
    if (section.mid !== undefined && offer.bundle?.includes(section.mid) === true) bundled.push(section.mid);
    const withCandidates = !carriesCandidates;
    carriesCandidates = true;
    return takenSection(section, taken, transport, withCandidates);
  });
  const description: SessionDescription = {
    version: 0,
    origin: {
      username: "-",
      sessionId: randomInt(2 ** 47),
      sessionVersion: 1,
      netType: "IN",
      ipVer: 4,
      address: "0.0.0.0",
    },
    name: "-",
    timing: { start: 0, stop: 0 },
    icelite: "ice-lite",
    ...(bundled.length === 0 ? {} : { groups: [{ type: "BUNDLE", mids: bundled.join(" ") }] }),
    ...(offer.extmapAllowMixed ? { extmapAllowMixed: "extmap-allow-mixed" } : {}),
    msidSemantic: { semantic: "WMS", token: "*" },
    media,
  };
  return write(description);
}

/** RFC 3264 § 6: its port is 0. */
function refusedSection({ kind, protocol, formats, mid }: OfferSection): MediaDescription {
  return {
    type: kind,
    port: 0,
    protocol,
    payloads: formats === "" ? "0" : formats,
    connection: { version: 4, ip: "0.0.0.0" },
    ...(mid === undefined ? {} : { mid }),
    direction: "inactive",
    rtp: [],
    fmtp: [],
  };
}

function takenSection(
  { kind, protocol, mid }: OfferSection,
  { direction, codec, feedback, rtx, config, extensions, rids, stream }: AnswerSection,
  { iceParameters, iceCandidates, dtlsParameters, setup }: LocalTransport,
  withCandidates: boolean,
): MediaDescription {
  const rtxPayloadType = rtx ? codec.rtx : undefined;
  return {
    type: kind,
    port: 9,
    protocol,
    payloads: [codec.payloadType, ...(rtxPayloadType === undefined ? [] : [rtxPayloadType])].join(" "),
    connection: { version: 4, ip: "0.0.0.0" },
    ...(mid === undefined ? {} : { mid }),
    rtp: [
      {
        payload: codec.payloadType,
        codec: codec.mimeType.slice(codec.mimeType.indexOf("/") + 1),
        rate: codec.clockRate,
        ...(codec.channels === undefined || codec.channels === 1 ? {} : { encoding: codec.channels }),
      },
      ...(rtxPayloadType === undefined ? [] : [{ payload: rtxPayloadType, codec: "rtx", rate: codec.clockRate }]),
    ],
    fmtp: [
      ...(config === undefined ? [] : [{ payload: codec.payloadType, config }]),
      ...(rtxPayloadType === undefined ? [] : [{ payload: rtxPayloadType, config: `apt=${codec.payloadType}` }]),
    ],
    rtcpFb: feedback.map(({ type, parameter }) => ({
      payload: codec.payloadType,
      type,
      ...(parameter === undefined || parameter === "" ? {} : { subtype: parameter }),
    })),
    ext: extensions.map(({ id, uri }) => ({ value: id, uri })),
    direction,
    rtcpMux: "rtcp-mux",
    rtcpRsize: "rtcp-rsize",
    setup,
    fingerprint: fingerprintOf(dtlsParameters),
    iceUfrag: iceParameters.usernameFragment,
    icePwd: iceParameters.password,
    ...(withCandidates ? { candidates: candidatesOf(iceCandidates), endOfCandidates: "end-of-candidates" } : {}),
    ...(rids === undefined || rids.length === 0
      ? {}
      : {
          rids: rids.map((id) => ({ id, direction: "recv" })),
          simulcast: { dir1: "recv", list1: rids.join(";") },
        }),
    ...(stream === undefined
      ? {}
      : {
          msid: [{ id: stream.id, appdata: stream.track }],
          ssrcs: [stream.ssrc, ...(stream.rtxSsrc === undefined ? [] : [stream.rtxSsrc])].map((ssrc) => ({
            id: ssrc,
            attribute: "cname",
            value: stream.cname,
          })),
          ...(stream.rtxSsrc === undefined
            ? {}
            : { ssrcGroups: [{ semantics: "FID", ssrcs: `${stream.ssrc} ${stream.rtxSsrc}` }] }),
        }),
  };
}

function fingerprintOf({ fingerprints }: types.DtlsParameters): { type: string; hash: string } {
  const best = fingerprints.find(({ algorithm }) => algorithm === "sha-256") ?? fingerprints[0];
  if (best === undefined) throw invalid("this server has no certificate");
  return { type: best.algorithm, hash: best.value };
}

/** UDP before TCP: there are clients that take the first one and no other. */
export function candidatesOf(candidates: readonly types.IceCandidate[]): NonNullable<MediaDescription["candidates"]> {
  return [...candidates]
    .sort((a, b) => Number(a.protocol === "tcp") - Number(b.protocol === "tcp") || b.priority - a.priority)
    .map(({ priority, address, protocol, port, type, tcpType }, index) => ({
      foundation: String(index + 1),
      component: 1,
      transport: protocol,
      priority,
      ip: address,
      port,
      type,
      ...(tcpType === undefined ? {} : { tcptype: tcpType }),
    }));
}
