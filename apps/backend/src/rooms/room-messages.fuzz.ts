import { ManualClock } from "@klieg/base";
import { defineFuzzTarget } from "@klieg/base/fuzz";
import { KliegError } from "@klieg/protocol";
import { RecordingLogger } from "../testing/recording-logger.ts";
import { RoomSession } from "./room-session.ts";
import { opusParameters, simulcastParameters } from "./testing/rtp-parameters.ts";

const dtls_parameters = {
  role: "client",
  fingerprints: [{ algorithm: "sha-256", value: "AA:BB:CC:DD" }],
};
const rtp_capabilities = {
  codecs: [
    {
      kind: "video",
      mimeType: "video/VP8",
      clockRate: 90_000,
      preferredPayloadType: 96,
      parameters: { "x-google-start-bitrate": 1000 },
      rtcpFeedback: [{ type: "nack", parameter: "pli" }],
    },
  ],
  headerExtensions: [
    { kind: "audio", uri: "urn:ietf:params:rtp-hdrext:sdes:mid", preferredId: 1, direction: "recvonly" },
  ],
};

const REQUESTS: readonly object[] = [
  { type: "join", token: "aaa.bbb.ccc", name: "Ann", resume_token: "zzz" },
  { type: "create_transport", direction: "recv", rtp_capabilities },
  { type: "connect_transport", transport_id: "t", dtls_parameters },
  { type: "produce", transport_id: "t", source: "camera", rtp_parameters: simulcastParameters() },
  { type: "produce", transport_id: "t", source: "microphone", rtp_parameters: opusParameters(1) },
  { type: "set_layers", consumer_id: "c", spatial_layer: 1, temporal_layer: null, priority: 3 },
  { type: "send_text", text: "hello" },
  { type: "mute", participant_id: "abcdefghijkl", source: "screen_audio" },
  { type: "set_role", participant_id: "abcdefghijkl", role: "speaker" },
  { type: "create_invite", role: "attendee", expires_in_s: 60, label: "class" },
  { type: "go_on_air", layout: { kind: "speaker", participant_id: "abcdefghijkl" } },
  { type: "start_recording", layout: { kind: "grid" } },
];

export const fuzzTargets = [
  defineFuzzTarget({
    name: "room-messages",
    corpus: () => REQUESTS.map((request, id) => Buffer.from(JSON.stringify({ id, ...request }))),
    run: (input) => {
      let bytes = 0;
      const clock = new ManualClock();
      using session = new RoomSession({
        // What is well-formed is asked of a room that is not there.
        rooms: { join: () => Promise.reject(new KliegError("not_found", "There is no such room.")) } as never,
        programs: undefined as never,
        iceServers: undefined as never,
        roomId: "roomroomroom",
        clock,
        logger: new RecordingLogger(),
        outlet: {
          remoteAddress: "192.0.2.1",
          send: (text) => {
            bytes += text.length;
          },
          close: () => undefined,
        },
      });
      for (const line of Buffer.from(input).toString("utf8").split("\n")) session.onMessage(line);
      return bytes;
    },
    isExpectedError: () => false,
    maxOutputBytes: () => 64 * 1024,
  }),
];
