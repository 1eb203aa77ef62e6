/** What a peer connection has received so far; counts and sums since its beginning. Seconds and bytes. */
export interface Reception {
  /** When it was read, monotonic ms. */
  readonly at: number;
  /** RTP packets of every track. */
  readonly packets: number;
  readonly lost: number;
  readonly bytes: number;
  /** Of the picture, or of the sound where there is no picture, seconds. */
  readonly jitter: number | null;
  readonly framesDecoded: number;
  readonly framesDropped: number;
  readonly freezes: number;
  readonly frozenFor: number;
  /** Time that samples or frames spent in the jitter buffer, summed, and how many left it. */
  readonly buffered: number;
  readonly bufferedCount: number;
  /** Time from a frame's first packet to its decoded picture, summed over the frames decoded. */
  readonly processed: number;
  /** Round trip of the path in use; null until known. */
  readonly roundTrip: number | null;
  readonly codec: string | null;
  readonly frameRate: number | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly path: NetworkPath | null;
}

/** How packets travel. */
export interface NetworkPath {
  readonly protocol: "UDP" | "TCP" | "TLS";
  /** Through a TURN server. */
  readonly relayed: boolean;
}

type Entry = Record<string, unknown> & { readonly id: string; readonly type: string };

const number = (value: unknown): number | null => (typeof value === "number" && Number.isFinite(value) ? value : null);
const text = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

/** Reads what matters out of `RTCPeerConnection.getStats()` (W3C webrtc-stats); what a browser does not tell is null or 0. */
export function readReception(report: Iterable<readonly [string, unknown]>, at: number): Reception {
  const entries = new Map<string, Entry>();
  for (const [id, entry] of report) entries.set(id, entry as Entry);
  const all = [...entries.values()];
  const inbound = all.filter(({ type }) => type === "inbound-rtp");
  const sum = (key: string) => inbound.reduce((total, entry) => total + (number(entry[key]) ?? 0), 0);
  const video = inbound.find(({ kind }) => kind === "video") ?? null;
  const main = video ?? inbound[0] ?? null;
  const of = (entry: Entry | null, key: string) => number(entry?.[key]);
  const pair = pairInUse(all, entries);
  return {
    at,
    packets: sum("packetsReceived"),
    lost: sum("packetsLost"),
    bytes: sum("bytesReceived"),
    jitter: of(main, "jitter"),
    framesDecoded: of(video, "framesDecoded") ?? 0,
    framesDropped: of(video, "framesDropped") ?? 0,
    freezes: of(video, "freezeCount") ?? 0,
    frozenFor: of(video, "totalFreezesDuration") ?? 0,
    buffered: of(main, "jitterBufferDelay") ?? 0,
    bufferedCount: of(main, "jitterBufferEmittedCount") ?? 0,
    processed: of(video, "totalProcessingDelay") ?? 0,
    roundTrip: of(pair, "currentRoundTripTime"),
    codec: codecOf(video ?? main, entries),
    frameRate: of(video, "framesPerSecond"),
    width: of(video, "frameWidth"),
    height: of(video, "frameHeight"),
    path: pathOf(pair, entries),
  };
}

function pairInUse(all: readonly Entry[], entries: ReadonlyMap<string, Entry>): Entry | null {
  const transport = all.find(({ type }) => type === "transport");
  const selected = entries.get(text(transport?.selectedCandidatePairId) ?? "");
  // Firefox marks the pair itself.
  return selected ?? all.find(({ type, selected: marked }) => type === "candidate-pair" && marked === true) ?? null;
}

function codecOf(entry: Entry | null, entries: ReadonlyMap<string, Entry>): string | null {
  const codec = entries.get(text(entry?.codecId) ?? "");
  return text(codec?.mimeType)?.replace(/^\w+\//, "") ?? null;
}

function pathOf(pair: Entry | null, entries: ReadonlyMap<string, Entry>): NetworkPath | null {
  const local = entries.get(text(pair?.localCandidateId) ?? "");
  if (!local) return null;
  const relayed = local.candidateType === "relay";
  // What a relay is reached by is what this network lets through.
  const protocol = relayed ? (text(local.relayProtocol) ?? text(local.protocol)) : text(local.protocol);
  return { protocol: protocol === "tls" ? "TLS" : protocol === "tcp" ? "TCP" : "UDP", relayed };
}

/** What went on between two readings of one connection. */
export interface ReceptionChange {
  /** RTP, bits/s. */
  readonly bitrate: number;
  /** Share of the packets that never came, 0 to 1; null where nothing was due. */
  readonly loss: number | null;
  readonly packets: number;
  readonly freezes: number;
  /** Mean time in the jitter buffer, seconds; null where nothing left it. */
  readonly jitterBuffer: number | null;
  /** Mean time from a frame's first packet to its decoded picture, seconds. */
  readonly processing: number | null;
}

/** Pure. */
export function changeBetween(before: Reception, after: Reception): ReceptionChange {
  const ms = Math.max(1, after.at - before.at);
  const packets = Math.max(0, after.packets - before.packets);
  // Retransmission fills gaps later, so the count of the lost can shrink.
  const lost = Math.max(0, after.lost - before.lost);
  const emitted = after.bufferedCount - before.bufferedCount;
  const frames = after.framesDecoded - before.framesDecoded;
  return {
    bitrate: (Math.max(0, after.bytes - before.bytes) * 8000) / ms,
    loss: packets + lost > 0 ? lost / (packets + lost) : null,
    packets,
    freezes: Math.max(0, after.freezes - before.freezes),
    jitterBuffer: emitted > 0 ? (after.buffered - before.buffered) / emitted : null,
    processing: frames > 0 ? (after.processed - before.processed) / frames : null,
  };
}
