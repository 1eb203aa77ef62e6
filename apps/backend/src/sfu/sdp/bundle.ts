import type { Offer, OfferSection, OfferTransport } from "./offer.ts";
import { invalid } from "./sdp-text.ts";

/**
 * The one ICE and DTLS transport that sections share (RFC 9143, RFC 8834 § 4.5): RTP and RTCP of all of them go by one
 * port here.
 * @throws {KliegError} `sdp_invalid` where the peer cannot do that, or does not say how it connects.
 */
export function bundledTransport(offer: Offer, sections: readonly OfferSection[]): OfferTransport {
  const { bundle } = offer;
  for (const { rtcpMux, mid } of sections) {
    if (!rtcpMux) throw invalid("it needs a=rtcp-mux: RTP and RTCP go by one port here");
    if (sections.length > 1 && (mid === undefined || bundle?.includes(mid) !== true)) {
      throw invalid("its media sections need a=group:BUNDLE with their mids: all media goes by one port here");
    }
  }
  // Bundled sections may leave it to the first one of their group (RFC 9143 § 7.3).
  const first = offer.sections.find(({ mid }) => mid !== undefined && mid === bundle?.[0]);
  const transport =
    sections.find((section) => section.transport !== undefined)?.transport ??
    (sections.some(({ mid }) => mid !== undefined && bundle?.includes(mid) === true) ? first?.transport : undefined);
  if (transport === undefined) throw invalid("it lacks a=ice-ufrag, a=ice-pwd or a=fingerprint");
  return transport;
}
