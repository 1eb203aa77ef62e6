import { PersonSegmentation } from "./person-segmentation.ts";
import type { FromSegmentation, ToSegmentation } from "./segmentation-message.ts";

// A classic worker, since the runtime loads its script with importScripts.

const port = globalThis as unknown as {
  postMessage(message: FromSegmentation, transfer?: readonly Transferable[]): void;
  onmessage: ((event: MessageEvent<ToSegmentation>) => void) | null;
};

let segmentation: PersonSegmentation | undefined;

port.onmessage = ({ data }) => {
  receive(data).catch((error: unknown) => {
    port.postMessage({ type: "failed", message: error instanceof Error ? error.message : String(error) });
  });
};

async function receive(message: ToSegmentation): Promise<void> {
  switch (message.type) {
    case "open":
      segmentation = await PersonSegmentation.open(message);
      port.postMessage({ type: "ready" });
      break;
    case "picture": {
      const { source, picture, again } = message;
      const mask = await segmentation?.mask(source, picture, again);
      if (mask !== undefined) port.postMessage({ type: "mask", source, mask }, [mask.buffer]);
      break;
    }
    case "forget":
      segmentation?.forget(message.source);
      break;
  }
}
