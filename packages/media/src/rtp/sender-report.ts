import { MediaError } from "../media-error.ts";
import { readU16, readU32, writeU16, writeU32 } from "./rtp-packet.ts";
import type { SenderReportTime } from "./sender-clock.ts";

/** RTCP packet types, RFC 3550 § 12.1. */
const SENDER_REPORT = 200;
const SOURCE_DESCRIPTION = 202;
const SDES_CNAME = 1;

const SENDER_REPORT_BYTES = 28;
/** Seconds from the NTP epoch (1900) to the Unix epoch. */
const NTP_EPOCH_S = 2_208_988_800;

export interface SenderReport extends SenderReportTime {
  readonly ssrc: number;
  /** RTP packets sent so far, modulo 2^32, and bytes of their payloads. */
  readonly packets: number;
  readonly bytes: number;
}

/**
 * A compound RTCP packet of a sender report without reception blocks and a source description with the canonical name
 * (RFC 3550 § 6.1, § 6.4.1, § 6.5).
 * @param cname at most 255 bytes of UTF-8; what is more is cut off.
 */
export function writeSenderReport(report: SenderReport, cname: string): Buffer {
  const name = Buffer.from(cname).subarray(0, 255);
  // Items are ended by a zero and filled up to a multiple of four bytes.
  const chunkBytes = 4 + 4 * Math.ceil((2 + name.length + 1) / 4);
  const out = Buffer.alloc(SENDER_REPORT_BYTES + 4 + chunkBytes);
  writeRtcpHeader(out, 0, 0, SENDER_REPORT, SENDER_REPORT_BYTES);
  writeU32(out, 4, report.ssrc);
  const seconds = Math.floor(report.ntpMs / 1000);
  writeU32(out, 8, seconds + NTP_EPOCH_S);
  writeU32(out, 12, Math.floor(((report.ntpMs - seconds * 1000) / 1000) * 2 ** 32));
  writeU32(out, 16, report.rtpTimestamp);
  writeU32(out, 20, report.packets);
  writeU32(out, 24, report.bytes);
  const at = SENDER_REPORT_BYTES;
  writeRtcpHeader(out, at, 1, SOURCE_DESCRIPTION, 4 + chunkBytes);
  writeU32(out, at + 4, report.ssrc);
  out[at + 8] = SDES_CNAME;
  out[at + 9] = name.length;
  out.set(name, at + 10);
  return out;
}

/**
 * The sender reports in a compound RTCP packet; other packets in it are passed over.
 * @throws MediaError `truncated`, `malformed`
 */
export function readSenderReports(data: Uint8Array): SenderReport[] {
  const reports: SenderReport[] = [];
  let at = 0;
  while (at < data.length) {
    if (at + 4 > data.length) throw new MediaError("truncated", "RTCP header cut off");
    if ((data[at] as number) >> 6 !== 2) throw new MediaError("malformed", "RTCP of another version");
    const end = at + 4 + 4 * readU16(data, at + 2);
    if (end > data.length) throw new MediaError("truncated", "RTCP packet longer than its datagram");
    if (data[at + 1] === SENDER_REPORT) {
      if (end - at < SENDER_REPORT_BYTES) throw new MediaError("truncated", "sender report without its sender");
      const seconds = readU32(data, at + 8) - NTP_EPOCH_S;
      reports.push({
        ssrc: readU32(data, at + 4),
        ntpMs: seconds * 1000 + (readU32(data, at + 12) / 2 ** 32) * 1000,
        rtpTimestamp: readU32(data, at + 16),
        packets: readU32(data, at + 20),
        bytes: readU32(data, at + 24),
      });
    }
    at = end;
  }
  return reports;
}

function writeRtcpHeader(out: Buffer, at: number, count: number, type: number, bytes: number): void {
  out[at] = 0x80 | count;
  out[at + 1] = type;
  writeU16(out, at + 2, bytes / 4 - 1);
}
