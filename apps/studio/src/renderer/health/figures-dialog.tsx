import { useStore } from "zustand";
import type { MediaStatistics } from "../media/media-contract.ts";
import { useServices } from "../services.ts";
import { Dialog } from "../shell/dialog.tsx";
import { bitrate, count, tenths } from "../strings/figures.ts";
import { healthStrings } from "../strings/health.ts";
import { AlertList } from "./alert-list.tsx";
import { CARRIER_NAMES, type Connection } from "./connection.ts";
import type { HealthHistory } from "./health-history.ts";
import type { HealthSample } from "./health-sample.ts";
import { type GraphLine, TimeGraph } from "./time-graph.tsx";
import type { TimeSeries } from "./time-series.ts";

const words = healthStrings;

/** All there is to know, for who wants to know. */
export function FiguresDialog({ onClose }: { readonly onClose: () => void }) {
  const { health: monitor } = useServices();
  const { health, sample } = useStore(monitor.state);
  return (
    <Dialog title={words.panel} onClose={onClose} className="wide figures">
      <p className="row figures-headline">
        <i className={`dot light-${health.light}`} />
        <strong>{health.headline}</strong>
      </p>
      <AlertList alerts={health.alerts} headline={health.headline} />
      <Graphs history={monitor.history} now={sample?.now ?? 0} />
      {sample === undefined ? null : <Tables sample={sample} />}
    </Dialog>
  );
}

interface Graph {
  readonly name: string;
  readonly lines: readonly GraphLine[];
  readonly atLeast: number;
  readonly value: (latest: number) => string;
}

function Graphs({ history, now }: { readonly history: HealthHistory; readonly now: number }) {
  const one = (name: string, series: TimeSeries, atLeast: number, value: (latest: number) => string): Graph => ({
    name,
    lines: [{ series, colour: "--arc-line" }],
    atLeast,
    value,
  });
  const graphs: Graph[] = [
    {
      ...one(words.graphs.bitrate, history.sentBitrate, 1_000_000, bitrate),
      lines: [
        { series: history.askedBitrate, colour: "--ink-2" },
        { series: history.sentBitrate, colour: "--arc-line" },
      ],
    },
    one(words.graphs.rtt, history.rttMs, 50, (ms) => `${count(ms)} ms`),
    one(words.graphs.encode, history.encodeMs, 10, (ms) => `${tenths(ms)} ms`),
    one(words.graphs.render, history.renderShare, 1, (share) => `${count(share * 100)}%`),
    one(words.graphs.dropped, history.dropped, 10, count),
    one(words.graphs.viewers, history.viewers, 5, count),
  ];
  return (
    <div className="graphs">
      {graphs.map(({ name, lines, atLeast, value }) => {
        const latest = lines.at(-1)?.series.latest;
        return (
          <figure key={name}>
            <figcaption className="row">
              <span className="label grow ell">{name}</span>
              <span className="num">{latest === undefined ? words.table.unknown : value(latest)}</span>
            </figcaption>
            <TimeGraph lines={lines} label={name} now={now} atLeast={atLeast} />
          </figure>
        );
      })}
    </div>
  );
}

function Tables({ sample }: { readonly sample: HealthSample }) {
  const { media, connections, server } = sample;
  const { table } = words;
  const lost = connections.reduce((sum, { droppedFrames }) => sum + (droppedFrames ?? 0), 0);
  return (
    <div className="figure-tables">
      {media === undefined ? null : (
        <Table
          title={table.studio}
          rows={[
            [table.render, table.renderValue(media.renderFrameRate, media.wantedFrameRate, media.renderMs)],
            ...encoderRows(media),
            [table.dropped, table.droppedValue(media.dropped.render, media.dropped.encode, media.dropped.link, lost)],
          ]}
        />
      )}
      {connections.map((connection) => (
        <Table
          key={connection.id}
          title={`${connection.name} · ${CARRIER_NAMES[connection.carrier]}`}
          rows={connectionRows(connection)}
        />
      ))}
      {server.map((one) => (
        <Table
          key={one.destination}
          title={table.server}
          rows={[
            [table.received, table.receivedValue(one.bitrate, one.frame_rate)],
            [
              table.keyframes,
              one.keyframe_interval_ms === null ? table.unknown : table.keyframesValue(one.keyframe_interval_ms),
            ],
            [
              table.renditions,
              one.renditions.map(({ name, state }) => table.rendition(name, state)).join(", ") || table.unknown,
            ],
            [table.viewers, one.viewers === null ? table.unknown : count(one.viewers)],
          ]}
        />
      ))}
    </div>
  );
}

/** Of the one encoder for SRT, RTMP and the recording; by WebRTC the browser has one for each destination. */
function encoderRows(media: MediaStatistics): [string, string][] {
  const { table } = words;
  if (media.encoder === undefined) return [];
  return [
    [table.encoder, media.encoder.label],
    [table.queue, table.queueValue(media.encoderQueue, media.encodeMs)],
    [table.rate, table.rateValue(media.wantedBitrate, media.encodedBitrate)],
  ];
}

function connectionRows(connection: Connection): [string, string][] {
  const { bitrate: bits, rttMs, loss, retransmitted, bufferMs, encoding } = connection;
  const { table } = words;
  const encoder: [string, string][] = encoding === undefined ? [] : [[table.encoder, encoding]];
  return [
    ...encoder,
    [table.sent, bits === undefined ? table.unknown : bitrate(bits)],
    [table.network, table.networkValue(rttMs, loss, retransmitted) || table.unknown],
    [table.buffer, bufferMs === undefined ? table.unknown : table.bufferValue(bufferMs)],
  ];
}

function Table({ title, rows }: { readonly title: string; readonly rows: readonly (readonly [string, string])[] }) {
  return (
    <table>
      <caption className="h">{title}</caption>
      <tbody>
        {rows.map(([name, value]) => (
          <tr key={name}>
            <th scope="row" className="label">
              {name}
            </th>
            <td className="num">{value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
