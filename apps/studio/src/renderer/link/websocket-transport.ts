import type { OpenTransport, StudioTransport } from "./studio-transport.ts";

/** The engine's WebSocket beside a page of the capture box. */
export function engineSocketUrl(page: string): string {
  const url = new URL("engine", page);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.search = "";
  url.hash = "";
  return url.href;
}

/** Opens WebSockets to an engine. The token is in a cookie, which the browser sends along. */
export function openWebSocket(url: string): OpenTransport {
  return (signal) => {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<StudioTransport>();
    const socket = new WebSocket(url);
    socket.binaryType = "arraybuffer";
    let opened = false;
    let closed = false;
    const onAbort = () => {
      if (opened) return;
      transport.close();
      reject(signal.reason);
    };
    const transport: StudioTransport = {
      send: (message) => {
        if (!closed && socket.readyState === WebSocket.OPEN) socket.send(message);
      },
      get buffered() {
        return closed ? 0 : socket.bufferedAmount;
      },
      onMessage: undefined,
      onMedia: undefined,
      onClose: undefined,
      close: () => {
        closed = true;
        socket.close(1000);
      },
    };
    socket.onopen = () => {
      opened = true;
      signal.removeEventListener("abort", onAbort);
      resolve(transport);
    };
    socket.onmessage = ({ data }) => {
      if (closed) return;
      if (typeof data === "string") transport.onMessage?.(data);
      else transport.onMedia?.(new Uint8Array(data as ArrayBuffer));
    };
    socket.onclose = ({ code, reason }) => {
      signal.removeEventListener("abort", onAbort);
      if (closed) return;
      closed = true;
      if (opened) transport.onClose?.(code, reason);
      else reject(new Error("The engine could not be reached."));
    };
    signal.addEventListener("abort", onAbort, { once: true });
    return promise;
  };
}
