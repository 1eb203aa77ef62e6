import { ENGINE_PORT_MESSAGE, type EnginePortFarewell, type StudioDesktop } from "@klieg/protocol";
import type { OpenTransport, StudioTransport } from "./studio-transport.ts";

/** The other end went away without a word (RFC 6455 § 7.4.1 has the number). */
const ABNORMAL_CLOSE = 1006;

/** What is needed of `window`. */
export interface PortWindow {
  readonly location: { readonly origin: string };
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  removeEventListener(type: "message", listener: (event: MessageEvent) => void): void;
}

/** Opens ports to the engine of the desktop app; {@link EnginePortFarewell} says what goes over them. */
export function openEnginePort(desktop: Pick<StudioDesktop, "connect">, page: PortWindow): OpenTransport {
  return (signal) => {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<StudioTransport>();
    const done = () => {
      page.removeEventListener("message", onMessage);
      signal.removeEventListener("abort", onAbort);
    };
    const onAbort = () => {
      done();
      reject(signal.reason);
    };
    const onMessage = ({ data, origin, ports }: MessageEvent) => {
      const [port] = ports;
      // Only a script of this very page, such as the app's own, can post here with its origin.
      if (data !== ENGINE_PORT_MESSAGE || origin !== page.location.origin || port === undefined) return;
      done();
      resolve(transportOver(port));
    };
    page.addEventListener("message", onMessage);
    signal.addEventListener("abort", onAbort, { once: true });
    desktop.connect();
    return promise;
  };
}

function transportOver(port: MessagePort): StudioTransport {
  let sent = 0;
  let taken = 0;
  let takenHere = 0;
  let closed = false;
  const end = (code: number, reason: string) => {
    if (closed) return;
    closed = true;
    port.close();
    transport.onClose?.(code, reason);
  };
  const transport: StudioTransport = {
    send: (message) => {
      if (closed) return;
      if (typeof message !== "string") sent += message.byteLength;
      // Copied: memory that is transferred to another process arrives there as nothing.
      port.postMessage(message);
    },
    get buffered() {
      return closed ? 0 : sent - taken;
    },
    onMessage: undefined,
    onMedia: undefined,
    onClose: undefined,
    close: () => {
      closed = true;
      port.close();
    },
  };
  port.onmessage = ({ data }: MessageEvent<string | number | Uint8Array<ArrayBuffer> | EnginePortFarewell>) => {
    if (closed) return;
    if (typeof data === "string") transport.onMessage?.(data);
    else if (typeof data === "number") taken = data;
    else if (data instanceof Uint8Array) {
      transport.onMedia?.(data);
      takenHere += data.byteLength;
      port.postMessage(takenHere);
    } else end(data.close, data.reason);
  };
  port.addEventListener("close", () => end(ABNORMAL_CLOSE, "the engine is gone"));
  return transport;
}
