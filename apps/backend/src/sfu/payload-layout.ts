import type { types } from "mediasoup";

/**
 * The payload types under which a peer wants what it is sent. mediasoup sends every consumer of a router the router's
 * own; a peer that offers (WHEP) has named the ones that it takes, and drops packets of others. Peers of one layout
 * share a router, which the stage pipes its producers to: there are as many as there are kinds of browsers.
 */
export interface PayloadLayout {
  /** Same for same payload types of the same codecs. */
  readonly key: string;
  /** What its router carries, each under its payload type. */
  readonly codecs: readonly types.RouterRtpCodecCapability[];
}

export interface LaidOutCodec {
  readonly kind: types.MediaKind;
  readonly mimeType: string;
  readonly clockRate: number;
  readonly channels: number | undefined;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly payloadType: number;
  /** Payload type for retransmissions; undefined for none. */
  readonly rtx: number | undefined;
}

/** In which order mediasoup gives dynamic payload types to what has none, such as retransmissions. */
const DYNAMIC = [...range(100, 127), ...range(96, 99)];
/** What holds a payload type that is to be passed over: a codec that nobody has. */
const FILLER = { kind: "audio", mimeType: "audio/CN", clockRate: 8000 } as const;

/** Whether mediasoup can be brought to use a payload type for retransmissions. */
export function canRetransmitAs(payloadType: number): boolean {
  return DYNAMIC.includes(payloadType);
}

/**
 * A layout with one video codec at most.
 * @throws RangeError where two codecs have one payload type.
 */
export function payloadLayout(codecs: readonly LaidOutCodec[]): PayloadLayout {
  const taken = codecs.flatMap(({ payloadType, rtx }) => (rtx === undefined ? [payloadType] : [payloadType, rtx]));
  if (new Set(taken).size !== taken.length) throw new RangeError("two codecs have the same payload type");
  // Fixed ones first: mediasoup gives the first free number to the retransmissions of a video codec as it comes to it.
  const ordered = [...codecs].sort((a, b) => Number(a.kind === "video") - Number(b.kind === "video"));
  const rtx = codecs.find(({ kind }) => kind === "video")?.rtx;
  const passedOver = rtx === undefined ? [] : DYNAMIC.slice(0, DYNAMIC.indexOf(rtx));
  const fillers = passedOver
    .filter((payloadType) => !taken.includes(payloadType))
    .map((preferredPayloadType) => ({ ...FILLER, preferredPayloadType }));
  const wanted = ordered.map(
    ({ kind, mimeType, clockRate, channels, parameters, payloadType }): types.RouterRtpCodecCapability => ({
      kind,
      mimeType,
      clockRate,
      ...(channels === undefined ? {} : { channels }),
      parameters: { ...parameters },
      preferredPayloadType: payloadType,
    }),
  );
  return {
    key: JSON.stringify(
      ordered.map((codec) => [codec.mimeType, codec.parameters, codec.payloadType, codec.rtx ?? null]),
    ),
    codecs: [
      ...wanted.filter(({ kind }) => kind === "audio"),
      ...fillers,
      ...wanted.filter(({ kind }) => kind === "video"),
    ],
  };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
