import type { EnginePortFarewell } from "@klieg/protocol";
import { STUDIO_CLOSE, STUDIO_MEDIA_BYTES, STUDIO_MESSAGE_BYTES } from "@klieg/protocol";
import type { EnginePeer } from "../engine/engine-peer.ts";

/** What is needed of Electron's `MessagePortMain`. */
export interface EnginePort {
  on(event: "message", listener: (event: { readonly data: unknown }) => void): unknown;
  on(event: "close", listener: () => void): unknown;
  postMessage(message: unknown): void;
  start(): void;
  close(): void;
}

/** What is needed of the engine's side of a connection. */
export interface PortSession {
  receive(text: string): void;
  receiveMedia(bytes: Uint8Array<ArrayBuffer>): void;
  closed(): void;
}

/** Carries one page's messages between its port and the engine. @see {@link EnginePortFarewell} for what goes over the port. */
export function carryPort(port: EnginePort, connect: (peer: EnginePeer) => PortSession): void {
  let open = true;
  let taken = 0;
  let telling = false;
  let sent = 0;
  let takenByPage = 0;
  const tellTaken = () => {
    telling = false;
    if (open) port.postMessage(taken);
  };
  const end = () => {
    if (!open) return;
    open = false;
    port.close();
    session.closed();
  };
  const close = (code: number, reason: string) => {
    if (!open) return;
    port.postMessage({ close: code, reason } satisfies EnginePortFarewell);
    end();
  };
  const session = connect({
    send: (text) => {
      if (open) port.postMessage(text);
    },
    sendMedia: (message) => {
      if (!open) return;
      sent += message.byteLength;
      port.postMessage(message);
    },
    get behind() {
      return open ? sent - takenByPage : 0;
    },
    // Its session may want to close while it is being made.
    close: (code, reason) => queueMicrotask(() => close(code, reason)),
  });
  port.on("message", ({ data }) => {
    if (!open) return;
    if (typeof data === "string" && data.length <= STUDIO_MESSAGE_BYTES) session.receive(data);
    else if (typeof data === "number" && data >= takenByPage && data <= sent) takenByPage = data;
    else if (data instanceof Uint8Array && data.byteLength <= STUDIO_MEDIA_BYTES) {
      session.receiveMedia(data as Uint8Array<ArrayBuffer>);
      taken += data.byteLength;
      // One word for all that came in the same turn.
      if (telling) return;
      telling = true;
      setImmediate(tellTaken);
    } else close(STUDIO_CLOSE.protocol, "not a message of this protocol");
  });
  port.on("close", end);
  port.start();
}
