import type { ReactNode } from "react";
import { bitrate, count, milliseconds, percent, seconds } from "../figures.ts";
import type { PlaylistStatistics, RealtimeStatistics } from "../playback/playback-state.ts";
import { strings } from "../strings.ts";
import { qualityName } from "./quality-name.ts";

const words = strings.statistics;

function Row({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd className="figure">{children}</dd>
    </>
  );
}

/** The figures of playback by playlists. */
export function PlaylistRows({ statistics }: { statistics: PlaylistStatistics }) {
  const { rendition } = statistics;
  const frameRate = rendition?.frameRate ? ` · ${Math.round(rendition.frameRate * 100) / 100}` : "";
  return (
    <dl>
      <Row name={words.latency}>{seconds(statistics.latencyByClock)}</Row>
      <Row name={words.fromEdge}>{seconds(statistics.latencyFromEdge)}</Row>
      <Row name={words.target}>{seconds(statistics.target)}</Row>
      <Row name={words.buffer}>{seconds(statistics.bufferAhead)}</Row>
      <Row name={words.partTarget}>{seconds(statistics.partTarget, 3)}</Row>
      <Row name={words.rendition}>{`${named(statistics)}${rendition ? frameRate : ""}`}</Row>
      <Row name={words.bitrate}>{rendition ? bitrate(rendition.bitrate) : "–"}</Row>
      <Row name={words.bandwidth}>{statistics.bandwidth === null ? "–" : bitrate(statistics.bandwidth)}</Row>
      <Row name={words.codecs}>{rendition?.codecs ?? "–"}</Row>
      <Row name={words.frames}>{words.ofFrames(count(statistics.droppedFrames), count(statistics.totalFrames))}</Row>
      <Row name={words.stalls}>
        {count(statistics.stalls)} · {seconds(statistics.stalledMs / 1000, 1)}
      </Row>
      <Row name={words.startUp}>{milliseconds(statistics.startUpMs)}</Row>
      <Row name={words.protocol}>{statistics.protocol}</Row>
      {statistics.clockOffsetMs === 0 ? null : <Row name={words.clock}>{seconds(statistics.clockOffsetMs / 1000)}</Row>}
    </dl>
  );
}

/** The figures of real time. */
export function RealtimeRows({ statistics }: { statistics: RealtimeStatistics }) {
  const { path, frameRate } = statistics;
  return (
    <dl>
      <Row name={words.latency}>{inMs(statistics.latency)}</Row>
      <Row name={words.roundTrip}>{inMs(statistics.roundTrip)}</Row>
      <Row name={words.loss}>{statistics.loss === null ? "–" : percent(statistics.loss)}</Row>
      <Row name={words.jitter}>{inMs(statistics.jitter)}</Row>
      <Row name={words.jitterBuffer}>{inMs(statistics.jitterBuffer)}</Row>
      {statistics.jitterBufferTarget === 0 ? null : (
        <Row name={words.jitterBufferTarget}>{milliseconds(statistics.jitterBufferTarget)}</Row>
      )}
      <Row name={words.rendition}>
        {named(statistics)}
        {frameRate === null ? "" : ` · ${Math.round(frameRate)}`}
      </Row>
      <Row name={words.bitrate}>{statistics.bitrate === null ? "–" : bitrate(statistics.bitrate)}</Row>
      <Row name={words.bandwidth}>{statistics.bandwidth === null ? "–" : bitrate(statistics.bandwidth)}</Row>
      <Row name={words.codecs}>{statistics.codec ?? "–"}</Row>
      <Row name={words.framesDecoded}>{count(statistics.framesDecoded)}</Row>
      <Row name={words.framesDropped}>{count(statistics.framesDropped)}</Row>
      <Row name={words.freezes}>
        {count(statistics.freezes)} · {seconds(statistics.frozenMs / 1000, 1)}
      </Row>
      <Row name={words.connection}>
        {path === null ? "–" : `${path.protocol}${path.relayed ? ` · ${words.relayed}` : ""}`}
      </Row>
      <Row name={words.reconnects}>{count(statistics.reconnects)}</Row>
      <Row name={words.startUp}>{milliseconds(statistics.startUpMs)}</Row>
      <Row name={words.protocol}>{statistics.protocol}</Row>
    </dl>
  );
}

function named({ rendition, frameSize }: Pick<PlaylistStatistics, "rendition" | "frameSize">): string {
  const size = frameSize ? `${frameSize.width} × ${frameSize.height}` : "–";
  return rendition ? `${qualityName(rendition)} · ${size}` : size;
}

/** @param value seconds. */
function inMs(value: number | null): string {
  return milliseconds(value === null ? null : value * 1000);
}
