import type { types } from "mediasoup";
import { write } from "sdp-transform";
import { candidatesOf } from "./answer.ts";
import { invalid, readSdpFragment } from "./sdp-text.ts";

/** What a peer tells of its end of ICE after the offer (RFC 8840 § 9). */
export interface IceFragment {
  /** Its ICE user name and password, where the fragment has them. */
  readonly credentials: { readonly ufrag: string; readonly pwd: string } | undefined;
  readonly candidates: number;
}

/**
 * Reads an `application/trickle-ice-sdpfrag` body.
 * @throws {KliegError} `payload_too_large`, `sdp_invalid`.
 */
export function parseIceFragment(text: string): IceFragment {
  const { session, media } = readSdpFragment(text);
  const sections = [session, ...media];
  const find = (name: string) => sections.flatMap((section) => section.attributes(name))[0];
  const ufrag = find("ice-ufrag");
  const pwd = find("ice-pwd");
  const candidates = sections.flatMap((section) => section.attributes("candidate"));
  for (const candidate of candidates) {
    // RFC 8839 § 5.1; component 1 alone is of use, but harmless others are passed over.
    if (
      !/^[A-Za-z0-9+/]{1,32} \d{1,3} [A-Za-z]{1,10} \d{1,10} [^\s]{1,255} \d{1,5} typ [a-z]{1,10}( |$)/.test(candidate)
    ) {
      throw invalid("one of its candidates is malformed");
    }
  }
  const isAbout = candidates.length > 0 || ufrag !== undefined || find("end-of-candidates") !== undefined;
  if (!isAbout) throw invalid("it has neither candidates nor ICE credentials");
  if (ufrag === undefined && pwd === undefined) return { credentials: undefined, candidates: candidates.length };
  if (ufrag === undefined || pwd === undefined) throw invalid("a=ice-ufrag and a=ice-pwd go together");
  if (!/^[\x21-\x7e]{4,256}$/.test(ufrag) || !/^[\x21-\x7e]{22,256}$/.test(pwd)) {
    throw invalid("its ICE user name or password is too short or too long");
  }
  return { credentials: { ufrag, pwd }, candidates: candidates.length };
}

/**
 * Writes the answer to an ICE restart (RFC 9725 § 4.3.3): this end's new credentials with its candidates.
 * @param section the media section that stands for the transport.
 */
export function writeIceFragment(
  section: { readonly kind: string; readonly mid: string | undefined; readonly payloadType: number },
  bundle: readonly string[],
  {
    iceParameters,
    iceCandidates,
  }: {
    readonly iceParameters: types.IceParameters;
    readonly iceCandidates: readonly types.IceCandidate[];
  },
): string {
  const text = write({
    version: 0,
    origin: { username: "-", sessionId: 0, sessionVersion: 0, netType: "IN", ipVer: 4, address: "0.0.0.0" },
    name: "-",
    timing: { start: 0, stop: 0 },
    icelite: "ice-lite",
    ...(bundle.length === 0 ? {} : { groups: [{ type: "BUNDLE", mids: bundle.join(" ") }] }),
    media: [
      {
        type: section.kind,
        port: 9,
        protocol: "UDP/TLS/RTP/SAVPF",
        payloads: String(section.payloadType),
        ...(section.mid === undefined ? {} : { mid: section.mid }),
        rtp: [],
        fmtp: [],
        iceUfrag: iceParameters.usernameFragment,
        icePwd: iceParameters.password,
        candidates: candidatesOf(iceCandidates),
        endOfCandidates: "end-of-candidates",
      },
    ],
  });
  // A fragment begins with attributes: it has no session lines (RFC 8840 § 9).
  return text.slice(text.indexOf("a=ice-lite"));
}
