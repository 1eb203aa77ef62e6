import type { ConnectRoom } from "../../../guests/guest-room-ports.ts";

/** The browser's own WebSocket to a room of the server that the page is from. */
export const connectRoom: ConnectRoom = (url, { onOpen, onMessage, onClose }) => {
  const socket = new WebSocket(url);
  const deaf = new AbortController();
  const { signal } = deaf;
  socket.addEventListener("open", onOpen, { signal });
  socket.addEventListener("message", ({ data }) => onMessage(String(data)), { signal });
  // A failure is told as a close, too.
  socket.addEventListener("close", ({ code }) => onClose(code), { signal });
  const end = (code?: number) => {
    deaf.abort();
    socket.close(code);
  };
  return {
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    get buffered() {
      return socket.bufferedAmount;
    },
    close: () => end(1000),
    // Without a code: the room takes it for being cut off, and keeps the place.
    abandon: () => end(),
  };
};
