import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Broadcast } from "../live/broadcast.ts";
import type { SfuStatistics } from "../sfu/sfu-statistics.ts";
import type { RequestCounts } from "./request-counts.ts";
import { registerSfuMetrics } from "./sfu-metrics.ts";

export interface MetricSources {
  readonly broadcasts: () => Iterable<Broadcast>;
  readonly requests: RequestCounts;
  readonly rooms: () => RoomCounts;
  /** Never rejects. */
  readonly sfu: () => Promise<SfuStatistics>;
  readonly webrtc: {
    /** Publishers by WHIP, connected or not. */
    readonly publishers: () => number;
    /** Viewers of a stream by WHEP. */
    readonly viewersOf: (streamId: string) => number;
  };
}

/** Rooms (RTC2) at this moment. */
export interface RoomCounts {
  /** Somebody is in them, or may come back. */
  readonly open: number;
  readonly participants: number;
  /** Connections to rooms, joined or not. */
  readonly sockets: number;
  readonly onAir: number;
  readonly recording: number;
}

/** Label sets are bounded by the streams in flight: a stream's series go when it is forgotten. */
const STREAM_LABELS = ["channel", "stream"] as const;

/** Prometheus metrics (OBS3). Read from the domain when scraped, so that they cost the media path nothing. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #partLatency: Histogram<"origin">;

  constructor(sources: MetricSources) {
    const registers = [this.#registry];
    // A wide precision: the event loop monitor must not wake an idle process a hundred times a second.
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: 1000 });
    const perStream = (
      name: string,
      help: string,
      kind: "gauge" | "counter",
      read: (broadcast: Broadcast) => number | undefined,
    ) => {
      const collect = (metric: Gauge<string> | Counter<string>) => {
        metric.reset();
        for (const broadcast of sources.broadcasts()) {
          const value = read(broadcast);
          if (value !== undefined)
            metric.inc({ channel: broadcast.stream.channel, stream: broadcast.stream.id }, value);
        }
      };
      const options = { name, help, labelNames: STREAM_LABELS, registers };
      if (kind === "gauge") {
        new Gauge({
          ...options,
          collect() {
            collect(this as Gauge<string>);
          },
        });
      } else {
        new Counter({
          ...options,
          collect() {
            collect(this as Counter<string>);
          },
        });
      }
    };
    const clockNow = () => performance.now();

    new Gauge({
      name: "klieg_streams",
      help: "Streams by state.",
      labelNames: ["state"],
      registers,
      collect() {
        this.reset();
        for (const state of ["starting", "live", "interrupted", "ended"]) this.set({ state }, 0);
        for (const { stream } of sources.broadcasts()) this.inc({ state: stream.state });
      },
    });
    perStream("klieg_ingest_bitrate_bps", "Incoming media over the last 5 s, bits/s.", "gauge", ({ stream }) =>
      stream.contribution?.meter.bitrate(clockNow()),
    );
    perStream("klieg_ingest_frame_rate", "Incoming video frames a second over the last 5 s.", "gauge", ({ stream }) =>
      stream.contribution?.meter.frameRate(clockNow()),
    );
    perStream(
      "klieg_ingest_keyframe_interval_seconds",
      "Time between the last two keyframes.",
      "gauge",
      ({ stream }) => {
        const interval = stream.contribution?.meter.keyframeIntervalMs;
        return interval === undefined ? undefined : interval / 1000;
      },
    );
    perStream(
      "klieg_ingest_bytes_total",
      "Bytes of media taken in from the present source.",
      "counter",
      ({ stream }) => stream.contribution?.meter.bytes,
    );
    perStream(
      "klieg_ingest_video_frames_total",
      "Video frames taken in from the present source.",
      "counter",
      ({ stream }) => stream.contribution?.meter.videoFrames,
    );
    perStream(
      "klieg_ingest_discontinuities_total",
      "Times that the source's timestamps jumped or ran backwards.",
      "counter",
      ({ stream }) => stream.timeline.counts.jumps,
    );
    perStream("klieg_webrtc_viewers", "Viewers by WHEP.", "gauge", ({ stream }) => sources.webrtc.viewersOf(stream.id));
    new Gauge({
      name: "klieg_webrtc_publishers",
      help: "Publishers by WHIP, connected or not.",
      registers,
      collect() {
        this.set(sources.webrtc.publishers());
      },
    });
    new Counter({
      name: "klieg_reader_dropped_access_units_total",
      help: "Access units that a reader lost because it did not keep up.",
      labelNames: [...STREAM_LABELS, "reader"],
      registers,
      collect() {
        this.reset();
        for (const { stream } of sources.broadcasts()) {
          for (const reader of stream.readers) {
            this.inc({ channel: stream.channel, stream: stream.id, reader: reader.name }, reader.droppedAccessUnits);
          }
        }
      },
    });
    perStream("klieg_transcode_speed", "Media seconds made per second of wall clock.", "gauge", (broadcast) => {
      return broadcast.transcodeHealth?.speed ?? undefined;
    });
    perStream(
      "klieg_transcode_restarts_total",
      "Times that the transcoder was started anew.",
      "counter",
      (broadcast) => broadcast.transcodeHealth?.restarts,
    );
    perStream(
      "klieg_transcode_dropped_access_units_total",
      "Access units of the source that FFmpeg was too slow for.",
      "counter",
      (broadcast) => broadcast.transcodeDrops,
    );
    new Counter({
      name: "klieg_parts_published_total",
      help: "Partial segments published.",
      labelNames: [...STREAM_LABELS, "rendition"],
      registers,
      collect() {
        this.reset();
        for (const broadcast of sources.broadcasts()) {
          for (const rendition of broadcast.packager.renditions) {
            this.inc(
              { channel: broadcast.stream.channel, stream: broadcast.stream.id, rendition: rendition.name },
              rendition.partsPublished,
            );
          }
        }
      },
    });
    const perRooms = (name: string, help: string, read: (counts: RoomCounts) => number) => {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read(sources.rooms()));
        },
      });
    };
    perRooms("klieg_rooms", "Rooms that somebody is in or may come back to.", ({ open }) => open);
    perRooms("klieg_room_participants", "Participants of all rooms.", ({ participants }) => participants);
    perRooms("klieg_room_sockets", "WebSockets to rooms, joined or not.", ({ sockets }) => sockets);
    perRooms("klieg_rooms_on_air", "Rooms that feed a channel.", ({ onAir }) => onAir);
    perRooms("klieg_rooms_recording", "Rooms that are recorded.", ({ recording }) => recording);
    new Gauge({
      name: "klieg_live_edge_waiting_requests",
      help: "Blocking playlist and part requests that wait for the live edge.",
      registers,
      collect() {
        let waiting = 0;
        for (const broadcast of sources.broadcasts()) {
          for (const rendition of broadcast.packager.renditions) waiting += rendition.waiting;
        }
        this.set(waiting);
      },
    });
    new Counter({
      name: "klieg_media_requests_total",
      help: "Requests to the origin, by what was asked for and the status of the answer.",
      labelNames: ["kind", "status"],
      registers,
      collect() {
        this.reset();
        for (const { kind, status, count } of sources.requests.entries()) this.inc({ kind, status }, count);
      },
    });
    new Counter({
      name: "klieg_media_sent_bytes_total",
      help: "Bytes of bodies that the origin answered with.",
      registers,
      collect() {
        this.reset();
        this.inc(sources.requests.bytes);
      },
    });
    registerSfuMetrics(this.#registry, sources.sfu);
    this.#partLatency = new Histogram({
      name: "klieg_part_latency_seconds",
      help: "From the moment a part's last frame was due on the stream's timeline to the part's publication.",
      labelNames: ["origin"],
      buckets: [0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2, 3, 5],
      registers,
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** @param origin whether the part is of the untouched source or was transcoded. @param latencyMs see the metric's help. */
  observePart(origin: "source" | "transcode", latencyMs: number): void {
    this.#partLatency.observe({ origin }, Math.max(0, latencyMs) / 1000);
  }

  render(): Promise<string> {
    return this.#registry.metrics();
  }
}
