import type { ThreadPort } from "../compositor/thread-port.ts";
import type { FromIsolated, ToIsolated } from "./isolated-message.ts";
import { IsolatedThread } from "./isolated-thread.ts";

const port = globalThis as unknown as ThreadPort<ToIsolated, FromIsolated>;
const thread = new IsolatedThread((message, transfer) => port.postMessage(message, transfer));
port.onmessage = ({ data }) => {
  thread.receive(data);
  if (data.type === "close") port.close();
};
