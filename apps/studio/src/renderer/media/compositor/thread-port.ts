/** The part of a dedicated worker's global scope that is used here; the library's types know windows only. */
export interface ThreadPort<In, Out> {
  postMessage(message: Out, transfer?: readonly Transferable[]): void;
  onmessage: ((event: MessageEvent<In>) => void) | null;
  close(): void;
}
