import type { Clock } from "@klieg/base";
import type { Channels } from "../channels/channels.ts";
import type { WhipIngest } from "../ingest/whip/whip-ingest.ts";
import type { Metrics } from "../insight/metrics.ts";
import type { LiveStreams } from "../live/live-streams.ts";
import type { Recordings } from "../rooms/recordings.ts";
import type { Rooms } from "../rooms/rooms.ts";
import type { IceServers } from "../sfu/ice-servers.ts";
import type { Sfu } from "../sfu/sfu.ts";
import type { WhepDoor } from "../watch/whep-door.ts";
import type { Addresses } from "./addresses.ts";

/** What the routes stand on. */
export interface HttpServices {
  readonly clock: Clock;
  readonly channels: Channels;
  readonly live: LiveStreams;
  readonly metrics: Metrics;
  readonly addresses: Addresses;
  readonly sfu: Sfu;
  readonly whip: WhipIngest;
  readonly whep: WhepDoor;
  readonly rooms: Rooms;
  readonly recordings: Recordings;
  /** What WebRTC peers are told of STUN and TURN. */
  readonly iceServers: IceServers;
  /** Why the backend is not ready to take streams, or undefined where it is. */
  readonly notReady: () => string | undefined;
}
