import { FlvDemuxer } from "@klieg/media";
import { KliegError } from "@klieg/protocol";
import type { PublishAuthoriser } from "@klieg/rtmp";
import type { Channels } from "../../channels/channels.ts";
import type { LiveStreams } from "../../live/live-streams.ts";
import type { Logger } from "../../ports/logger.ts";
import { logRefusal } from "../refusal-log.ts";

/**
 * Admits RTMP publishers (ING1): the stream name is the stream key; what follows becomes access units of the
 * channel's stream. A refusal reaches the encoder as an `onStatus` of the error table.
 */
export function rtmpIngest(dependencies: { channels: Channels; live: LiveStreams; logger: Logger }): PublishAuthoriser {
  const { channels, live, logger } = dependencies;
  return async (request, session) => {
    const log = logger.child({ protocol: request.secure ? "rtmps" : "rtmp", remote: request.remoteAddress });
    try {
      const admission = await channels.admit(request.streamKey);
      request.signal.throwIfAborted();
      const contribution = live.contribute(admission, {
        protocol: request.secure ? "rtmps" : "rtmp",
        encoder: request.encoder,
        remoteAddress: request.remoteAddress,
        keyId: admission.keyId,
        refuse: (error) => void session.end(error),
      });
      const demuxer = new FlvDemuxer(contribution);
      return {
        onVideo: (timestampMs, body) => demuxer.pushVideo(timestampMs, body),
        onAudio: (timestampMs, body) => demuxer.pushAudio(timestampMs, body),
        // Nothing in onMetaData is trusted: the bitstreams say what they are.
        onMetadata: () => undefined,
        close: (end) => {
          if (end.error instanceof KliegError && end.error.code === "internal") {
            log.error({ err: end.error.cause ?? end.error }, "publication failed");
          }
          contribution.close(end);
        },
      };
    } catch (error) {
      logRefusal(log, error);
      throw error;
    }
  };
}
