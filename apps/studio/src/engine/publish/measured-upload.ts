import type { Clock } from "@klieg/base";
import { SrtCaller, type SrtCallerOptions, type SrtConnection } from "@klieg/srt";
import { failure, PublishFailure, srtFailure } from "./publish-failure.ts";
import type { SrtTarget } from "./srt-address.ts";
import { type ProbedUpload, UploadProbe } from "./upload-probe.ts";

/** What the network towards a server does. */
export interface MeasuredUpload extends ProbedUpload {
  /** The shortest seen, ms; null where none was. */
  readonly rttMs: number | null;
  /** Share of packets that had to be sent again, 0 to 1. */
  readonly loss: number;
}

/** Seven null packets (ISO/IEC 13818-1, 2.4.1), which say nothing: no picture, no sound, nothing that anybody could see. */
const NOTHING = Buffer.alloc(7 * 188, 0xff);
for (let at = 0; at < NOTHING.length; at += 188) NOTHING.set([0x47, 0x1f, 0xff, 0x10], at);
const FILL_MS = 10;
const SAMPLE_MS = 100;
/** So much waits in the send buffer, so that it is the network, not this end, that limits, s. */
const AHEAD_S = 0.06;

/**
 * Sends for some seconds to an SRT door, more and more of nothing, to find out what the network carries.
 * @throws PublishFailure
 */
export async function measureUpload(
  target: SrtTarget,
  options: { readonly clock: Clock; readonly signal: AbortSignal } & Pick<SrtCallerOptions, "openPort">,
): Promise<MeasuredUpload> {
  const { clock, signal } = options;
  const { host, port, streamId, passphrase, latencyMs } = target;
  const done = Promise.withResolvers<MeasuredUpload>();
  // It may fail before anybody waits for it.
  done.promise.catch(() => undefined);
  let connection: SrtConnection;
  try {
    connection = await SrtCaller.connect({
      host,
      port,
      streamId,
      ...(passphrase === undefined ? {} : { passphrase }),
      peerLatencyMs: latencyMs,
      lingerMs: 0,
      ...options,
      handler: {
        onClose: ({ by, message, error }) => {
          if (by === "owner") return;
          done.reject(failure("network", "unreachable", `The connection to ${host} broke: ${message}`, error));
        },
      },
    });
  } catch (error) {
    throw srtFailure(error, host);
  }
  const probe = new UploadProbe();
  let handed = 0;
  let rttMs: number | null = null;
  const fill = () => {
    const { sendBufferPackets, flightSize } = connection.statistics();
    const wanted = Math.ceil((probe.rate * AHEAD_S) / 8 / NOTHING.length);
    for (let waits = sendBufferPackets - flightSize; waits < wanted; waits += 1) {
      if (!connection.send(NOTHING)) return;
      handed += NOTHING.length;
    }
  };
  const look = () => {
    const statistics = connection.statistics();
    const { packetsSent, packetsRetransmitted, packetsSendDropped } = statistics;
    if (statistics.rttKnown) rttMs = Math.min(rttMs ?? Number.POSITIVE_INFINITY, statistics.rttMs);
    const found = probe.sample({
      now: clock.now(),
      rttMs: statistics.rttKnown ? statistics.rttMs : undefined,
      sendBufferMs: statistics.sendBufferMs,
      unsentMs: 0,
      bytesDelivered: handed - statistics.sendBufferBytes - statistics.bytesSendDropped,
      packetsSent,
      packetsResent: packetsRetransmitted,
      packetsDropped: packetsSendDropped,
      local: false,
    });
    connection.pace(probe.rate);
    if (found === undefined) return;
    const loss = packetsSent === 0 ? 0 : packetsRetransmitted / packetsSent;
    if (found.bitrate > 0) done.resolve({ ...found, rttMs, loss });
    else done.reject(failure("network", "unreachable", `${host} takes nothing.`));
  };
  const stopped = () => done.reject(PublishFailure.from(signal.reason));
  signal.addEventListener("abort", stopped, { once: true });
  if (signal.aborted) stopped();
  connection.pace(probe.rate);
  using _fill = clock.every(FILL_MS, fill);
  using _look = clock.every(SAMPLE_MS, look);
  try {
    return await done.promise;
  } finally {
    signal.removeEventListener("abort", stopped);
    await connection.close();
  }
}
