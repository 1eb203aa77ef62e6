import { KliegError } from "@klieg/protocol";

/** What was asked for belongs to a stage that has closed. */
export function stageEnded(): KliegError {
  return new KliegError("gone", "This has ended.");
}

export function producerGone(): KliegError {
  return new KliegError("gone", "What was sent is no longer there.");
}

/** What mediasoup threw because a worker failed, in words for the peer; an error of ours stays what it is. */
export function workerFailed(error: unknown): KliegError {
  if (error instanceof KliegError) return error;
  return new KliegError("webrtc_unavailable", "The media worker of this server failed; try again in a moment.", {
    cause: error,
  });
}
