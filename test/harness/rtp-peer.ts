import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { until } from "./until.ts";

/** Packets each behind its length in two bytes (RFC 4571), as GStreamer's `rtpstreamdepay` reads them. */
export function framePackets(packets: readonly Uint8Array[]): Buffer {
  return Buffer.concat(packets.flatMap((packet) => [Buffer.of(packet.length >> 8, packet.length & 0xff), packet]));
}

/** The packets of a file that GStreamer's `rtpstreampay` wrote. */
export function framedPackets(bytes: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 + bytes.readUInt16BE(at);
    packets.push(bytes.subarray(at + 2, end));
    at = end;
  }
  return packets;
}

/** A pair of UDP ports on loopback that keep what comes: RTP and RTCP of one stream. */
export class PacketInbox implements AsyncDisposable {
  readonly rtp: Buffer[] = [];
  readonly rtcp: Buffer[] = [];
  readonly #rtp: Socket;
  readonly #rtcp: Socket;

  private constructor(rtp: Socket, rtcp: Socket) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    rtp.on("message", (packet) => this.rtp.push(packet));
    rtcp.on("message", (packet) => this.rtcp.push(packet));
  }

  static async open(): Promise<PacketInbox> {
    return new PacketInbox(await boundSocket(), await boundSocket());
  }

  /** Where FFmpeg is to send: its URL. */
  get url(): string {
    return `rtp://127.0.0.1:${this.#rtp.address().port}?rtcpport=${this.#rtcp.address().port}&pkt_size=1200`;
  }

  /** Resolves when nothing more has come for a moment: whoever sent has ended, and loopback keeps nothing back. */
  async settled(): Promise<void> {
    let seen = -1;
    await until(
      () => {
        const before = seen;
        seen = this.rtp.length;
        return seen > 0 && before === seen;
      },
      { what: "the last packet", everyMs: 100 },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#rtp, this.#rtcp].map((socket) => closed(socket)));
  }
}

/** One stream that is sent to a receiver that reads a session description. */
export interface OutgoingStream {
  readonly media: "audio" | "video";
  readonly payloadType: number;
  /** `a=rtpmap`, e.g. `H264/90000`. */
  readonly map: string;
  readonly format?: string;
  readonly ssrc: number;
}

/** Sends RTP and RTCP to the ports of a receiver on loopback. */
export class PacketOutbox implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #ports: readonly number[];
  readonly #streams: readonly OutgoingStream[];
  #sent = 0;

  private constructor(socket: Socket, streams: readonly OutgoingStream[], ports: readonly number[]) {
    this.#socket = socket;
    this.#streams = streams;
    this.#ports = ports;
  }

  /** Takes a pair of free ports for each stream. */
  static async open(streams: readonly OutgoingStream[]): Promise<PacketOutbox> {
    const ports: number[] = [];
    for (const _ of streams) ports.push(await freePair(ports));
    return new PacketOutbox(await boundSocket(), streams, ports);
  }

  /** For the receiver. */
  get sessionDescription(): string {
    const lines = ["v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0"];
    this.#streams.forEach(({ media, payloadType, map, format }, i) => {
      lines.push(`m=${media} ${this.#ports[i]} RTP/AVP ${payloadType}`, `a=rtpmap:${payloadType} ${map}`);
      if (format !== undefined) lines.push(`a=fmtp:${payloadType} ${format}`);
    });
    return `${lines.join("\r\n")}\r\n`;
  }

  /** Resolves when the receiver listens on every port. */
  async listened(diagnose: () => string): Promise<void> {
    const wanted = this.#ports.flatMap((port) => [port, port + 1]);
    await until(
      async () => {
        const open = await boundPorts();
        return wanted.every((port) => open.has(port));
      },
      { what: "a receiver on the RTP ports", diagnose, everyMs: 20 },
    );
  }

  /** Sends a packet of the stream of that index, once the receiver has read most of those before. */
  async send(stream: number, packet: Uint8Array, rtcp = false): Promise<void> {
    this.#socket.send(new Uint8Array(packet), (this.#ports[stream] as number) + (rtcp ? 1 : 0), "127.0.0.1");
    this.#sent += 1;
    if (this.#sent % 8 === 0) await this.#unread(32_768);
  }

  /** Resolves when the receiver has read all that was sent. */
  read(): Promise<void> {
    return this.#unread(0);
  }

  /** Says goodbye for every stream (RTCP BYE, RFC 3550 § 6.6) once all packets are read: the receiver ends. */
  async goodbye(): Promise<void> {
    await this.read();
    for (const [i, { ssrc }] of this.#streams.entries()) {
      const packet = Buffer.from([0x80, 201, 0, 1, 0, 0, 0, 0, 0x81, 203, 0, 1, 0, 0, 0, 0]);
      packet.writeUInt32BE(ssrc, 4);
      packet.writeUInt32BE(ssrc, 12);
      await this.send(i, packet, true);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closed(this.#socket);
  }

  /** Resolves when at most so many bytes wait at each port of the receiver. */
  async #unread(bytes: number): Promise<void> {
    await until(
      async () => {
        const open = await boundPorts();
        return this.#ports.every((port) => (open.get(port) ?? 0) <= bytes && (open.get(port + 1) ?? 0) <= bytes);
      },
      { what: "a receiver that reads", everyMs: 2 },
    );
  }
}

async function boundSocket(port = 0): Promise<Socket> {
  const socket = createSocket({ type: "udp4", recvBufferSize: 4 * 1024 * 1024 });
  socket.bind(port, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}

async function closed(socket: Socket): Promise<void> {
  const close = once(socket, "close");
  socket.close();
  await close;
}

/** An even port that is free, as is the one above it: RTP and RTCP. */
async function freePair(taken: readonly number[]): Promise<number> {
  for (;;) {
    const probe = await boundSocket();
    const { port } = probe.address();
    await closed(probe);
    const even = port - (port % 2);
    const open = await boundPorts();
    if (!taken.includes(even) && !open.has(even) && !open.has(even + 1)) return even;
  }
}

/** UDP ports that anybody on this machine listens on, and how many bytes (with the kernel's own) wait there unread. */
async function boundPorts(): Promise<ReadonlyMap<number, number>> {
  const tables = await Promise.all(
    ["udp", "udp6"].map((name) => readFile(`/proc/net/${name}`, "utf8").catch(() => "")),
  );
  const ports = new Map<number, number>();
  // sl, local address and port, remote address and port, state, transmit and receive queue; hexadecimal.
  const row = /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) \S+ \S+ [0-9A-F]+:([0-9A-F]+) /gm;
  for (const [, port = "", queue = ""] of tables.join("\n").matchAll(row)) {
    ports.set(Number.parseInt(port, 16), Number.parseInt(queue, 16));
  }
  return ports;
}
