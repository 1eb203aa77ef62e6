import { createHash } from "node:crypto";
import { Demuxer, Muxer } from "node-av/api";

/**
 * RTP with AV1 by the FFmpeg that node-av carries: Debian's 5.1 knows no AV1 in RTP. A program of its own, as its peer is.
 *
 * `send FILE URL` sends a file's packets as fast as it can; `receive SDP` reads until the sender says goodbye and prints the
 * SHA-256 of each packet.
 */
const [what, from, to] = process.argv.slice(2);
if (what === "send" && from !== undefined && to !== undefined) await send(from, to);
else if (what === "receive" && from !== undefined) await receive(from);
else throw new Error("send FILE URL, or receive SDP");

async function send(file: string, url: string): Promise<void> {
  await using input = await Demuxer.open(file);
  await using output = await Muxer.open(url, { format: "rtp", options: { strict: "experimental" } });
  const [stream] = input.streams;
  if (stream === undefined) throw new Error("nothing to send");
  const index = output.addStream(stream);
  for await (using packet of input.packets()) {
    if (packet === null) break;
    await output.writePacket(packet, index);
  }
}

async function receive(sessionDescription: string): Promise<void> {
  await using input = await Demuxer.open(sessionDescription, {
    options: { protocol_whitelist: "file,udp,rtp", analyzeduration: "0" },
  });
  for await (using packet of input.packets()) {
    if (packet === null) break;
    const { data } = packet;
    if (data !== null) console.log(`packet ${packet.pts} ${createHash("sha256").update(data).digest("hex")}`);
  }
}
