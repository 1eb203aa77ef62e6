import dgram from "node:dgram";
import { isIPv6 } from "node:net";
import { SrtError } from "./srt-error.ts";

/** What SRT needs of UDP; tests put an in-memory link in its place. */
export interface DatagramPort extends AsyncDisposable {
  /**
   * Sends the first `length` bytes of `packet`.
   * @returns whether `packet` may be reused at once; when false the port still reads from it.
   */
  send(packet: Buffer, length: number, port: number, address: string): boolean;
  /** Where it is bound. */
  readonly localAddress: string;
  readonly localPort: number;
  /** Datagrams that the system refused to send. */
  readonly sendFailures: number;
  /** Idempotent; resolves when the socket is gone. */
  close(): Promise<void>;
}

/** Takes datagrams as they come; `datagram` is the taker's to keep and to change. */
export type DatagramHandler = (datagram: Buffer, port: number, address: string) => void;

/** Opens a port; see {@link openUdpPort}. */
export type DatagramPortFactory = (options: {
  host: string;
  port: number;
  onDatagram: DatagramHandler;
  onError: (error: SrtError) => void;
}) => Promise<DatagramPort>;

/** Kernel buffers asked for, bytes: 4 MiB ride out a pause of 1 s at 32 Mb/s. The system may give less. */
const SOCKET_BUFFER_SIZE = 4 * 1024 * 1024;

/**
 * Binds a UDP socket.
 * @throws SrtError `socket` when the address cannot be bound.
 */
export const openUdpPort: DatagramPortFactory = async ({ host, port, onDatagram, onError }) => {
  const socket = dgram.createSocket({
    type: isIPv6(host) ? "udp6" : "udp4",
    // Only literal addresses get here; dgram's own resolver would cost a turn of the loop per packet.
    lookup: (address, _options, callback) => callback(null, address, 4),
  });
  const bound = Promise.withResolvers<void>();
  socket.once("error", bound.reject);
  socket.bind({ port, address: host }, () => {
    socket.off("error", bound.reject);
    bound.resolve();
  });
  try {
    await bound.promise;
  } catch (error) {
    socket.close();
    throw new SrtError("socket", `UDP ${host}:${port} cannot be bound: ${(error as Error).message}`, { cause: error });
  }
  socket.setRecvBufferSize(SOCKET_BUFFER_SIZE);
  socket.setSendBufferSize(SOCKET_BUFFER_SIZE);
  socket.on("error", (error) =>
    onError(new SrtError("socket", `UDP socket failed: ${error.message}`, { cause: error })),
  );
  socket.on("message", (datagram, remote) => onDatagram(datagram, remote.port, remote.address));
  const { address, port: localPort } = socket.address();

  let closing: Promise<void> | undefined;
  let sendFailures = 0;
  const onSent = (error: Error | null) => {
    if (error !== null) sendFailures++;
  };
  const opened: DatagramPort = {
    localAddress: address,
    localPort,
    get sendFailures() {
      return sendFailures;
    },
    send(packet, length, port, address) {
      if (closing !== undefined) return true;
      socket.send(packet, 0, length, port, address, onSent);
      return socket.getSendQueueCount() === 0;
    },
    close() {
      closing ??= new Promise((resolve) => void socket.close(resolve));
      return closing;
    },
    [Symbol.asyncDispose]: () => opened.close(),
  };
  return opened;
};
