/** How far a publisher had come. */
export type PublishStage = "network" | "handshake" | "connect" | "create_stream" | "publish" | "live";

/** A server that cannot be reached, refuses, or goes away. */
export class RtmpPublishError extends Error {
  override readonly name = "RtmpPublishError";
  readonly stage: PublishStage;
  /** The server's own code (`NetStream.Publish.BadName`, …), when it gave one. */
  readonly serverCode: string | undefined;
  /** The server's own words, when it gave any. */
  readonly serverDescription: string | undefined;

  constructor(
    stage: PublishStage,
    message: string,
    options: { serverCode?: string; serverDescription?: string; cause?: unknown } = {},
  ) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.stage = stage;
    this.serverCode = options.serverCode;
    this.serverDescription = options.serverDescription;
  }
}
