import type { Connection } from "./connection.ts";
import type { HealthSample } from "./health-sample.ts";
import { TimeSeries } from "./time-series.ts";

/** How far back figures are kept, ms. */
export const HISTORY_MS = 5 * 60_000;
/** One sample a second. */
const CAPACITY = HISTORY_MS / 1000;
/** A destination that has acknowledged nothing for so long is away rather than slow, ms. */
const UNANSWERED_MS = 1500;

/** The figures of the last five minutes, one of each a second. */
export class HealthHistory {
  /** bits/s: what left for the destination that is best served, and what the encoder was asked for. */
  readonly sentBitrate = new TimeSeries(CAPACITY);
  readonly askedBitrate = new TimeSeries(CAPACITY);
  /** The worst of all destinations. */
  /** bits/s that a browser keeps its encoder to because WebRTC's network carries no more: of the destination worst served. */
  readonly webrtcBitrate = new TimeSeries(CAPACITY);
  readonly rttMs = new TimeSeries(CAPACITY);
  readonly loss = new TimeSeries(CAPACITY);
  readonly bufferMs = new TimeSeries(CAPACITY);
  /** Share of the wanted pictures that were drawn, 0 to 1. */
  readonly renderShare = new TimeSeries(CAPACITY);
  readonly encodeMs = new TimeSeries(CAPACITY);
  /** Counters of pictures left out, by cause. */
  readonly droppedRender = new TimeSeries(CAPACITY);
  readonly droppedEncode = new TimeSeries(CAPACITY);
  readonly droppedLink = new TimeSeries(CAPACITY);
  readonly droppedNetwork = new TimeSeries(CAPACITY);
  /** Of these: while the other end was there, so that it was the network's width that did not do. */
  readonly droppedCrowded = new TimeSeries(CAPACITY);
  /** All of these together. */
  readonly dropped = new TimeSeries(CAPACITY);
  readonly viewers = new TimeSeries(CAPACITY);
  /** bits/s that the first Klieg backend says it receives, as a share of what was sent to it, 0 to 1 and a little more. */
  readonly receivedShare = new TimeSeries(CAPACITY);

  /** Pictures left out by then, by destination that answered when it was last looked. */
  #answering = new Map<string, number>();
  #crowded = 0;

  add(sample: HealthSample): void {
    const { now, media, connections, server } = sample;
    const live = connections.filter(({ state }) => state === "live");
    this.sentBitrate.push(now, highest(live, "bitrate"));
    this.askedBitrate.push(now, sample.askedBitrate);
    this.webrtcBitrate.push(now, webrtcBitrate(live));
    this.rttMs.push(now, highest(live, "rttMs"));
    this.loss.push(now, highest(live, "loss"));
    this.bufferMs.push(now, highest(live, "bufferMs"));
    this.renderShare.push(now, media === undefined ? undefined : media.renderFrameRate / media.wantedFrameRate);
    this.encodeMs.push(now, media?.encoder === undefined ? undefined : media.encodeMs);
    this.droppedRender.push(now, media?.dropped.render);
    this.droppedEncode.push(now, media?.dropped.encode);
    this.droppedLink.push(now, media?.dropped.link);
    this.droppedNetwork.push(now, sumOf(connections, "droppedFrames"));
    this.droppedCrowded.push(now, this.#countCrowded(connections));
    const { render, encode, link } = media?.dropped ?? { render: 0, encode: 0, link: 0 };
    this.dropped.push(now, render + encode + link + (sumOf(connections, "droppedFrames") ?? 0));
    this.viewers.push(now, sample.viewers);
    const received = server[0];
    const sentThere = live.find(({ id }) => id === received?.destination)?.bitrate;
    this.receivedShare.push(
      now,
      received === undefined || sentThere === undefined || sentThere === 0 ? undefined : received.bitrate / sentThere,
    );
  }

  #countCrowded(connections: readonly Connection[]): number {
    const answering = new Map<string, number>();
    for (const { id, state, bufferMs = 0, droppedFrames } of connections) {
      if (state !== "live" || bufferMs >= UNANSWERED_MS || droppedFrames === undefined) continue;
      answering.set(id, droppedFrames);
      const before = this.#answering.get(id);
      if (before !== undefined) this.#crowded += Math.max(0, droppedFrames - before);
    }
    this.#answering = answering;
    return this.#crowded;
  }

  /** Pictures left out since `at`, epoch ms, whatever the cause. */
  droppedSince(at: number): number {
    const causes = [this.droppedRender, this.droppedEncode, this.droppedLink, this.droppedNetwork];
    return causes.reduce((sum, series) => sum + series.risenSince(at), 0);
  }

  /** A broadcast begins: its graphs begin with it. */
  clear(): void {
    for (const series of Object.values(this)) if (series instanceof TimeSeries) series.clear();
    this.#answering.clear();
    this.#crowded = 0;
  }
}

type Figure = "bitrate" | "rttMs" | "loss" | "bufferMs" | "droppedFrames";

/** The highest of a figure; undefined where none has it. */
function highest(connections: readonly Connection[], figure: Figure): number | undefined {
  const values = connections.map((connection) => connection[figure]).filter((value) => value !== undefined);
  return values.length === 0 ? undefined : Math.max(...values);
}

/** Share of what the browser's encoder may make from which on that is what holds it: a still picture needs less. */
const MADE_SHARE = 0.7;

/**
 * What the network lets the browser make, bits/s; undefined where nothing by WebRTC is held back by it. The browser itself says
 * so only when it makes the picture smaller, too.
 */
function webrtcBitrate(live: readonly Connection[]): number | undefined {
  const held = live.flatMap(({ limitedBy, targetBitrate = 0, bitrate = 0 }) => {
    const holds = limitedBy === "bandwidth" || (limitedBy !== "cpu" && bitrate >= targetBitrate * MADE_SHARE);
    return holds && targetBitrate > 0 ? [targetBitrate] : [];
  });
  return held.length === 0 ? undefined : Math.min(...held);
}

function sumOf(connections: readonly Connection[], figure: Figure): number | undefined {
  const values = connections.map((connection) => connection[figure]).filter((value) => value !== undefined);
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}
