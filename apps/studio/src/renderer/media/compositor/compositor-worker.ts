import type { FromCompositor, ToCompositor } from "./compositor-message.ts";
import { CompositorThread } from "./compositor-thread.ts";
import type { ThreadPort } from "./thread-port.ts";

const port = globalThis as unknown as ThreadPort<ToCompositor, FromCompositor>;
const thread = new CompositorThread((message, transfer) => port.postMessage(message, transfer));
port.onmessage = ({ data }) => {
  thread.receive(data);
  if (data.type === "close") port.close();
};
