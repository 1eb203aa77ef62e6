import { expect, test } from "vitest";
import { BackendProcess } from "../harness/backend.ts";
import { requirePackages } from "../harness/required-packages.ts";
import { RELAYED_ADDRESS, RtcRelay } from "../harness/rtc-relay.ts";
import { TurnServer } from "../harness/turn-server.ts";
import { until } from "../harness/until.ts";
import { WhipStudio } from "../harness/whip-studio.ts";

requirePackages("chromium", "coturn");

const SECRET = "the west wind";

test("the studio's program goes to a backend by WHIP as H.264, comes back by itself, and stops where the key is refused (STU3, ING3)", async () => {
  await using backend = await BackendProcess.start();
  await using studio = await WhipStudio.open(backend, (id) => (id === "wrong" ? "no-such-key" : backend.key));
  await studio.publish(["home", "wrong"], { video_bitrate: 800_000 });
  await studio.becomes(
    "home",
    "it is live",
    ({ state, statistics }) => state === "live" && (statistics?.frameRate ?? 0) > 10,
  );
  await studio.becomes(
    "wrong",
    "it is refused for good",
    ({ state, problem }) => state === "failed" && problem?.code === "stream_key_invalid",
  );
  const stream = await backend.live();
  expect(stream.id).toBeTruthy();
  await studio.becomes(
    "home",
    "H.264 is sent",
    ({ statistics }) => /h264/i.test(statistics?.codec ?? "") && statistics?.width === 640,
  );

  // The publication ends at the server, which the page is not told: it notices, and publishes anew.
  const [first = ""] = studio.sessions;
  await studio.end(first);
  const anew = () => studio.sessions.length > 1;
  await studio.becomes("home", "another session is live", ({ state }) => state === "live" && anew(), 20_000);
  expect(studio.asked).toContainEqual({ type: "whip_patch", refusal: "not_found" });
  await studio.publish([]);
  await until(() => studio.door.destinations.length === 0, { what: "the publication is ended" });
}, 60_000);

test("the studio's WHIP takes the server's TURN servers, and goes on in its session after an outage and from another address (STU3, RTC4)", async () => {
  await using turn = await TurnServer.start({ secret: SECRET });
  await using backend = await BackendProcess.start({
    env: {
      KLIEG_HOST: "127.0.0.1",
      KLIEG_ANNOUNCED_ADDRESS: RELAYED_ADDRESS,
      KLIEG_RTC_WORKERS: "1",
      KLIEG_ICE_SERVERS: turn.url(),
      KLIEG_TURN_SECRET: SECRET,
    },
  });
  await using relay = await RtcRelay.open({ port: backend.ports.rtc ?? 0, seed: 5 });
  await using studio = await WhipStudio.open(backend, () => backend.key);
  const { page } = studio.tab;
  // A network that lets nothing out but to its TURN server.
  await page.evaluate(() => {
    const Peer = globalThis.RTCPeerConnection;
    globalThis.RTCPeerConnection = class extends Peer {
      constructor(configuration?: RTCConfiguration) {
        super({ ...configuration, iceTransportPolicy: "relay" });
      }
    };
  });
  await studio.publish(["home"], { video_bitrate: 800_000 });
  await studio.becomes("home", "it is live", ({ state }) => state === "live");
  const { id } = await backend.live();
  expect(turn.users.length).toBeGreaterThan(0);

  relay.set({ loss: 1 });
  await studio.becomes("home", "it has noticed", ({ state }) => state === "reconnecting");
  relay.rebind();
  relay.set({});
  await studio.becomes("home", "it is live again", ({ state, statistics }) => {
    return state === "live" && (statistics?.frameRate ?? 0) > 10;
  });
  expect(studio.asked).toEqual([
    { type: "whip_offer", refusal: undefined },
    { type: "whip_patch", refusal: undefined },
  ]);
  const frames = async () => (await backend.health(id)).ingest?.video_frames ?? 0;
  const before = await frames();
  await until(async () => (await frames()) > before + 15, { what: "pictures at the server" });
  expect((await backend.live()).id).toBe(id);
}, 60_000);
