import type { SdpSection } from "./sdp-text.ts";

/** What an offered section says of the RTP streams that it sends. */
export interface OfferStreams {
  /** Canonical name of the source, if it is told. */
  readonly cname: string | undefined;
  /** Media SSRCs, each with that of its retransmissions if it has any (RFC 5576 § 4.2: `FID`); simulcast ones in order. */
  readonly ssrcs: readonly { readonly ssrc: number; readonly rtx: number | undefined }[];
  /** Whether the SSRCs are layers of one picture (`ssrc-group:SIM`). */
  readonly ssrcSimulcast: boolean;
  /** Simulcast layers by RID in the order of the offer (RFC 8853 § 5.1); none where it is no simulcast. */
  readonly rids: readonly OfferRid[];
  /** Stream id of its `msid`. */
  readonly streamId: string | undefined;
}

export interface OfferRid {
  readonly id: string;
  /** Restrictions (RFC 8851 § 5), such as `max-width`. */
  readonly restrictions: Readonly<Record<string, number>>;
}

const RID = /^[A-Za-z0-9_-]{1,16}$/;
/** More layers than anybody sends; mediasoup's own bound lies higher. */
const MAX_LAYERS = 4;
const MAX_SSRC = 0xffff_ffff;

export function streamsOf(section: SdpSection): OfferStreams {
  let cname: string | undefined;
  let streamId = /^([^\s]{1,64})/.exec(section.attribute("msid") ?? "")?.[1];
  const ssrcs: number[] = [];
  for (const value of section.attributes("ssrc")) {
    const match = /^(\d{1,10})(?: +([A-Za-z0-9-]+)(?::(.*))?)?$/.exec(value);
    const ssrc = Number(match?.[1]);
    if (match === null || !(ssrc > 0 && ssrc <= MAX_SSRC)) continue;
    if (!ssrcs.includes(ssrc)) ssrcs.push(ssrc);
    if (match[2] === "cname") cname ??= match[3]?.trim().slice(0, 255);
    if (match[2] === "msid") streamId ??= match[3]?.trim().split(/\s+/)[0]?.slice(0, 64);
  }
  const { rtxOf, simulcast } = ssrcGroups(section);
  const retransmissions = new Set(rtxOf.values());
  const media = (simulcast ?? ssrcs).filter((ssrc) => !retransmissions.has(ssrc)).slice(0, MAX_LAYERS);
  return {
    cname: cname === "" ? undefined : cname,
    ssrcs: media.map((ssrc) => ({ ssrc, rtx: rtxOf.get(ssrc) })),
    ssrcSimulcast: simulcast !== undefined && media.length > 1,
    rids: ridsOf(section),
    streamId: streamId === "-" ? undefined : streamId,
  };
}

function ssrcGroups(section: SdpSection): { rtxOf: Map<number, number>; simulcast: number[] | undefined } {
  const rtxOf = new Map<number, number>();
  let simulcast: number[] | undefined;
  for (const value of section.attributes("ssrc-group")) {
    const [semantics, ...ids] = value.split(/ +/);
    const numbers = ids.map(Number).filter((ssrc) => Number.isInteger(ssrc) && ssrc > 0 && ssrc <= MAX_SSRC);
    const [first, second] = numbers;
    if (semantics === "FID" && first !== undefined && second !== undefined) rtxOf.set(first, second);
    else if (semantics === "SIM" && numbers.length > 1) simulcast ??= numbers;
  }
  return { rtxOf, simulcast };
}

/**
 * `a=simulcast:send 1;2;3` (RFC 8853 § 5.1), with alternatives of which the first is taken, paused ones without their
 * `~`; the form of its drafts, `send rid=1;2;3`; or else the `a=rid:… send` lines by themselves.
 */
function ridsOf(section: SdpSection): OfferRid[] {
  const described = new Map<string, OfferRid>();
  for (const value of section.attributes("rid")) {
    const match = /^(\S+) +send(?: +(.*))?$/.exec(value);
    const id = match?.[1] ?? "";
    if (RID.test(id)) described.set(id, { id, restrictions: restrictionsOf(match?.[2] ?? "") });
  }
  const words = (section.attribute("simulcast") ?? "").split(/\s+/);
  const list = words[words.indexOf("send") + 1] ?? "";
  const listed = words.includes("send")
    ? list
        .replace(/^rid=/, "")
        .split(";")
        .map((alternatives) => (alternatives.split(",")[0] ?? "").replace(/^~/, ""))
        .filter((id) => RID.test(id))
    : [];
  const ids = [...new Set(listed.length > 0 ? listed : described.keys())].slice(0, MAX_LAYERS);
  return ids.map((id) => described.get(id) ?? { id, restrictions: {} });
}

function restrictionsOf(text: string): Record<string, number> {
  const restrictions: Record<string, number> = {};
  for (const item of text.split(";")) {
    const match = /^\s*(max-[a-z]{1,12})=(\d{1,10})\s*$/.exec(item);
    if (match?.[1] !== undefined) restrictions[match[1]] = Number(match[2]);
  }
  return restrictions;
}
