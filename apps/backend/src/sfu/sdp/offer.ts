import type { types } from "mediasoup";
import { codecsOf, type OfferCodec } from "./offer-codec.ts";
import { type OfferStreams, streamsOf } from "./offer-streams.ts";
import { invalid, readSdp, type SdpSection, type SdpSections } from "./sdp-text.ts";

export type SdpDirection = "sendrecv" | "sendonly" | "recvonly" | "inactive";

/** One media section of an offer. */
export interface OfferSection {
  readonly index: number;
  /** `audio`, `video`, `application`, … */
  readonly kind: string;
  readonly protocol: string;
  /** What the `m=` line lists, for an answer that turns the section down. */
  readonly formats: string;
  /** RFC 9143 § 5: undefined where the peer gives none. */
  readonly mid: string | undefined;
  /** Whether it is there to be used: RTP over DTLS, and not turned off by its port. */
  readonly usable: boolean;
  readonly rtcpMux: boolean;
  readonly direction: SdpDirection;
  readonly codecs: readonly OfferCodec[];
  readonly extensions: readonly OfferExtension[];
  readonly streams: OfferStreams;
  readonly transport: OfferTransport | undefined;
}

export interface OfferExtension {
  readonly id: number;
  readonly uri: string;
}

/** The peer's end of ICE and DTLS, from the section or the session. */
export interface OfferTransport {
  readonly iceUfrag: string;
  readonly icePwd: string;
  /** `role` is the peer's: `client` begins the handshake. */
  readonly dtls: types.DtlsParameters & { readonly role: "client" | "server" };
}

/** A session description that a peer offers (RFC 8829 § 5.2), as far as it means something here. */
export interface Offer {
  readonly sections: readonly OfferSection[];
  /** Mids of its BUNDLE group (RFC 9143 § 7); undefined where it has none. */
  readonly bundle: readonly string[] | undefined;
  readonly extmapAllowMixed: boolean;
}

/** Digest lengths in bytes (RFC 8122 § 5). */
const DIGESTS: Readonly<Record<string, number>> = {
  "sha-1": 20,
  "sha-224": 28,
  "sha-256": 32,
  "sha-384": 48,
  "sha-512": 64,
};

const DIRECTIONS = ["sendrecv", "sendonly", "recvonly", "inactive"] as const;

/**
 * Reads an offer in any of the dialects that encoders and browsers speak: CRLF or LF, ICE and DTLS in the session or in
 * its sections, with or without mids.
 * @throws {KliegError} `payload_too_large`, `sdp_invalid`.
 */
export function parseOffer(text: string): Offer {
  const sdp = readSdp(text);
  if (sdp.media.length === 0) throw invalid("it has no media section");
  const sections = sdp.media.map((section, index) => parseSection(sdp, section, index));
  const mids = sections.flatMap(({ mid }) => (mid === undefined ? [] : [mid]));
  if (new Set(mids).size !== mids.length) throw invalid("two of its media sections have the same mid");
  const group = sdp.session.attributes("group").find((value) => /^BUNDLE( |$)/.test(value));
  return {
    sections,
    bundle: group?.split(/ +/).slice(1),
    extmapAllowMixed: sdp.session.attribute("extmap-allow-mixed") !== undefined,
  };
}

function parseSection({ session }: SdpSections, section: SdpSection, index: number): OfferSection {
  const line = section.lines[0] ?? "";
  const match = /^m=([A-Za-z0-9]{1,20}) +(\d{1,5})(?:\/\d+)? +([A-Za-z0-9/]{1,40})(?: +(.*))?$/.exec(line);
  if (match === null) throw invalid(`media section ${index + 1} has no proper m= line`);
  const [, kind = "", port = "", protocol = "", formats = ""] = match;
  const isRtp = (kind === "audio" || kind === "video") && /RTP\/S?AVPF?$/.test(protocol);
  const off = Number(port) === 0 && section.attribute("bundle-only") === undefined;
  const mid = section.attribute("mid");
  if (mid !== undefined && !/^[\x21-\x7e]{1,32}$/.test(mid)) throw invalid(`media section ${index + 1} has a bad mid`);
  const payloadTypes = formats
    .split(/ +/)
    .filter((format) => /^\d{1,3}$/.test(format))
    .map(Number);
  return {
    index,
    kind,
    protocol,
    formats,
    mid,
    usable: isRtp && !off,
    rtcpMux: section.attribute("rtcp-mux") !== undefined,
    direction: directionOf(section) ?? directionOf(session) ?? "sendrecv",
    codecs: isRtp ? codecsOf(section, kind, [...new Set(payloadTypes)]) : [],
    extensions: isRtp ? extensionsOf(section, session) : [],
    streams: streamsOf(section),
    transport: isRtp ? transportOf(section, session) : undefined,
  };
}

function directionOf(section: SdpSection): SdpDirection | undefined {
  return DIRECTIONS.find((direction) => section.attribute(direction) !== undefined);
}

/** RFC 8285 § 5; encrypted ones (RFC 6904) are passed over. */
function extensionsOf(section: SdpSection, session: SdpSection): OfferExtension[] {
  const taken = new Set<number>();
  return [...section.attributes("extmap"), ...session.attributes("extmap")].flatMap((value) => {
    const match = /^(\d{1,5})(?:\/[a-z]+)? +(\S{1,200})/.exec(value);
    const id = Number(match?.[1]);
    if (match?.[2] === undefined || id < 1 || id > 255 || taken.has(id)) return [];
    taken.add(id);
    return [{ id, uri: match[2] }];
  });
}

/** Undefined where ICE or DTLS is missing. @throws {KliegError} `sdp_invalid` where it is wrong. */
function transportOf(section: SdpSection, session: SdpSection): OfferTransport | undefined {
  const iceUfrag = section.attribute("ice-ufrag") ?? session.attribute("ice-ufrag");
  const icePwd = section.attribute("ice-pwd") ?? session.attribute("ice-pwd");
  const own = section.attributes("fingerprint");
  const fingerprints = (own.length > 0 ? own : session.attributes("fingerprint")).flatMap(parseFingerprint);
  if (iceUfrag === undefined || icePwd === undefined || fingerprints.length === 0) return undefined;
  // RFC 8839 § 5.4.
  if (!/^[\x21-\x7e]{4,256}$/.test(iceUfrag) || !/^[\x21-\x7e]{22,256}$/.test(icePwd)) {
    throw invalid("its ICE user name or password is too short or too long");
  }
  const setup = section.attribute("setup") ?? session.attribute("setup") ?? "actpass";
  if (setup !== "actpass" && setup !== "active" && setup !== "passive")
    throw invalid(`it has a=setup:${setup.slice(0, 20)}`);
  return { iceUfrag, icePwd, dtls: { role: setup === "passive" ? "server" : "client", fingerprints } };
}

/** None where its algorithm is not known. @throws {KliegError} `sdp_invalid` where it is no fingerprint. */
function parseFingerprint(value: string): types.DtlsFingerprint[] {
  const match = /^([A-Za-z0-9-]{1,20}) +([0-9A-Fa-f:]{2,200})$/.exec(value);
  const algorithm = match?.[1]?.toLowerCase() ?? "";
  const length = DIGESTS[algorithm];
  if (match?.[2] === undefined) throw invalid("its fingerprint is malformed");
  if (length === undefined) return [];
  if (!/^[0-9A-F]{2}(:[0-9A-F]{2})*$/i.test(match[2]) || match[2].length !== 3 * length - 1) {
    throw invalid(`its ${algorithm} fingerprint is malformed`);
  }
  return [{ algorithm: algorithm as types.FingerprintAlgorithm, value: match[2].toUpperCase() }];
}
