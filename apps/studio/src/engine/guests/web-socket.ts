import { WebSocket } from "ws";
import type { ConnectRoom } from "../../guests/guest-room-ports.ts";

const CONNECT_MS = 10_000;
/** No message of a room is larger, bytes: whoever joins is told its last texts in one. */
const MAX_MESSAGE = 2 * 1024 * 1024;
/** Closed without a close frame (RFC 6455 § 7.4.1). */
const ABNORMAL = 1006;
/** A room that does not say goodbye in turn is let go after this, ms. */
const GOODBYE_MS = 2000;

/** A WebSocket of Node.js to a room. Names no origin, as it is no page; follows no redirection. */
export const connectRoom: ConnectRoom = (url, { onOpen, onMessage, onClose }) => {
  let over = false;
  const end = (code: number) => {
    if (over) return;
    over = true;
    onClose(code);
  };
  const socket = new WebSocket(url, {
    handshakeTimeout: CONNECT_MS,
    maxPayload: MAX_MESSAGE,
    perMessageDeflate: false,
    followRedirects: false,
  });
  socket.on("open", () => {
    if (!over) onOpen();
  });
  socket.on("message", (data: Buffer, binary) => {
    if (over) return;
    if (binary) socket.terminate();
    else onMessage(data.toString("utf8"));
  });
  // The close that follows says all there is to do.
  socket.on("error", () => socket.terminate());
  socket.on("close", (code) => end(code === 0 ? ABNORMAL : code));
  return {
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    get buffered() {
      return socket.bufferedAmount;
    },
    close: () => {
      over = true;
      if (socket.readyState !== WebSocket.OPEN) {
        socket.terminate();
        return;
      }
      socket.close(1000);
      const patience = setTimeout(() => socket.terminate(), GOODBYE_MS);
      socket.once("close", () => clearTimeout(patience));
    },
    abandon: () => {
      over = true;
      socket.terminate();
    },
  };
};
