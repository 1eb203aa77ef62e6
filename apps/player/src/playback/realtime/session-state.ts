import type { PinLayer, WhepLayer, WhepMedia, WhepState } from "@klieg/protocol";
import type { LayerRank, PinnedQuality, Rendition } from "../rendition.ts";

// As in api/channel.ts: the backend validates what it sends, and the player checks only what it would trip over.

/** What can be asked for instead of all of what is sent: a simulcast layer, or a spatial layer of one encoding (SVC). */
export type Layer = Pick<WhepLayer, "rid" | "spatial_layer" | "bitrate">;

/** How a session is doing. */
export interface SessionState {
  /** Whether its source is there, and something comes from it. */
  readonly sending: boolean;
  /** Of the picture, best first; one or none where there is nothing to choose. */
  readonly layers: readonly Layer[];
  /** Spatial layer of the picture that is sent; null while none is, or where it is not known. */
  readonly current: number | null;
  /** What the network is thought to carry, bits/s; null where that is not known. */
  readonly availableBitrate: number | null;
}

export const UNKNOWN_STATE: SessionState = {
  sending: true,
  layers: [],
  current: null,
  availableBitrate: null,
};

/** The JSON of a session resource. What does not look like it counts as a session that sends. */
export function readSessionState(value: unknown): SessionState {
  const { state, available_bitrate: available, media } = (value ?? {}) as Partial<WhepState>;
  const all = Array.isArray(media) ? media.filter((medium) => typeof medium === "object" && medium !== null) : [];
  const shown = all.find(({ kind }) => kind === "video") ?? all[0] ?? null;
  return {
    ...UNKNOWN_STATE,
    sending: state !== "inactive" && !isSilent(all),
    availableBitrate: typeof available === "number" ? available : null,
    ...(shown === null ? {} : mediumOf(shown)),
  };
}

/** A publisher whose network died sends nothing long before it is given up. */
function isSilent(media: readonly Partial<WhepMedia>[]): boolean {
  const bitrates = media.flatMap(({ layers }) => (Array.isArray(layers) ? layers : []).map((layer) => layer?.bitrate));
  return bitrates.length > 0 && bitrates.every((bitrate) => bitrate === 0);
}

/** `state` after a `layers` event, whose data is the medium; the sound's own changes nothing that is shown. */
export function withMedium(state: SessionState, data: unknown): SessionState {
  const medium = data as Partial<WhepMedia> | null;
  return medium?.kind === "video" ? { ...state, ...mediumOf(medium) } : state;
}

function mediumOf({ layers, current }: Partial<WhepMedia>): Pick<SessionState, "layers" | "current"> {
  const known = Array.isArray(layers) ? layers.filter((layer) => Number.isInteger(layer?.spatial_layer)) : [];
  const spatial = current?.spatial_layer;
  return {
    layers: known,
    current: typeof spatial === "number" ? spatial : null,
  };
}

/** What the menu calls layers: publishers say how they are ordered, not how large they are. */
const RANKS: Readonly<Record<number, readonly LayerRank[]>> = {
  2: ["high", "low"],
  3: ["high", "medium", "low"],
};

/**
 * The layers as the menu offers them. @param size of the picture on screen, which is the current layer's; null where there is none.
 * @param bitrate as received, bits/s, where the server does not know.
 */
export function renditionsOf(
  { layers, current }: SessionState,
  size: { readonly width: number; readonly height: number } | null,
  bitrate: number,
): Rendition[] {
  const shown = { width: size?.width ?? null, height: size?.height ?? null };
  const hidden = { width: null, height: null };
  const common = { frameRate: null, codecs: null };
  // A publisher without the time or the network for a layer leaves it out; what is not sent cannot be chosen.
  const sent = layers.filter((layer) => layer.bitrate > 0 || layer.spatial_layer === current);
  const offered = sent.length > 0 ? sent : layers;
  if (offered.length < 2) {
    const [only] = offered;
    return [{ index: only?.spatial_layer ?? 0, ...shown, ...common, bitrate: only?.bitrate || bitrate }];
  }
  return offered.map((layer, place) => ({
    index: layer.spatial_layer,
    ...(layer.spatial_layer === current ? shown : hidden),
    ...common,
    bitrate: layer.bitrate,
    rank: RANKS[offered.length]?.[place] ?? place + 1,
  }));
}

/** The layer that a quality means that was pinned elsewhere: the best one that needs no more bits; the lowest where all do. */
export function layerFor(layers: readonly Layer[], { bitrate }: PinnedQuality): Layer | null {
  if (layers.length < 2) return null;
  const known = layers.filter((layer) => layer.bitrate > 0);
  return known.find((layer) => layer.bitrate <= bitrate * SLACK) ?? layers.at(-1) ?? null;
}

/** Encoders keep to their bit rates roughly. */
const SLACK = 1.2;

/** What pins the layer; with null, what lets the server choose. */
export function pinRequest(layers: readonly Layer[], spatialLayer: number | null): PinLayer {
  if (spatialLayer === null) return { auto: true };
  const rid = layers.find((layer) => layer.spatial_layer === spatialLayer)?.rid ?? null;
  return rid === null ? { spatial_layer: spatialLayer } : { rid };
}
