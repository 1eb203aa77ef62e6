import type { RtpCapabilities } from "@klieg/protocol";
import { describe, expect, it } from "vitest";
import { findWorkerProgram } from "../sfu/worker-program.ts";
import { openRooms } from "./testing/room-bench.ts";
import type { RoomGuest } from "./testing/room-guest.ts";
import { opusParameters, simulcastParameters } from "./testing/rtp-parameters.ts";

let ssrc = 1000;

/** Makes a guest send. @returns the producer's id. */
async function send(guest: RoomGuest, source: "microphone" | "camera"): Promise<string> {
  const { id } = await guest.ask("create_transport", { direction: "send" });
  const rtp_parameters = source === "microphone" ? opusParameters(ssrc++) : simulcastParameters();
  return (await guest.ask("produce", { transport_id: id, source, rtp_parameters })).producer.id;
}

async function receive(guest: RoomGuest, capabilities: RtpCapabilities, producerId: string) {
  const { id } = await guest.ask("create_transport", { direction: "recv", rtp_capabilities: capabilities });
  return (await guest.ask("consume", { transport_id: id, producer_id: producerId })).consumer;
}

describe.skipIf(findWorkerProgram() === undefined)("a room (RTC2)", () => {
  it("tells everybody who is there, who comes and who goes", async () => {
    await using bench = await openRooms();
    const { id, host, tokenFor } = await bench.newRoom();
    const ann = bench.guest(id);
    const joined = await ann.ask("join", { token: host.token, name: "Ann" });
    expect(joined).toMatchObject({ resumed: false, self: { name: "Ann", role: "host" }, producers: [], texts: [] });
    expect(joined.participants).toEqual([joined.self]);
    const uris = joined.router_rtp_capabilities.headerExtensions?.map(({ uri }) => uri);
    expect(uris).not.toContain("urn:3gpp:video-orientation");

    const bob = bench.guest(id);
    const bobJoined = await bob.ask("join", { token: await tokenFor("attendee"), name: " Bob " });
    expect(bobJoined.participants.map(({ name }) => name)).toEqual(["Ann", "Bob"]);
    expect(ann.told("participant_joined")).toMatchObject([{ participant: { name: "Bob", role: "attendee" } }]);
    await bob.ask("raise_hand", { raised: true });
    await bob.ask("rename", { name: "Bobby" });
    expect(ann.told("participant_changed").at(-1)).toMatchObject({
      participant: { name: "Bobby", hand_raised_at: expect.any(String) },
    });
    bob.session.onClosed(true);
    expect(ann.told("participant_left")).toMatchObject([{ participant_id: bobJoined.self.id, reason: "left" }]);
    expect(bench.rooms.describe(await bench.rooms.get(id))).toMatchObject({ open: true, participants: 1 });
  });

  it("carries what is sent to those who ask for it, with layers to choose from", async () => {
    await using bench = await openRooms();
    const { id, host, tokenFor } = await bench.newRoom();
    const [ann, bob] = [bench.guest(id), bench.guest(id)];
    const { router_rtp_capabilities: capabilities } = await ann.ask("join", { token: host.token, name: "Ann" });
    await bob.ask("join", { token: await tokenFor("attendee"), name: "Bob" });
    const camera = await send(ann, "camera");
    expect(bob.told("producer_added")).toMatchObject([{ producer: { id: camera, source: "camera", kind: "video" } }]);
    expect(ann.told("producer_added")).toEqual([]);

    const consumer = await receive(bob, capabilities, camera);
    expect(consumer).toMatchObject({ kind: "video", type: "simulcast", spatial_layers: 3, temporal_layers: 3 });
    await bob.ask("resume_consumer", { consumer_id: consumer.id });
    await bob.ask("set_layers", { consumer_id: consumer.id, spatial_layer: 0, priority: 10 });
    await bob.ask("set_layers", { consumer_id: consumer.id, spatial_layer: 7, temporal_layer: 7 });
    await bob.ask("pause_consumer", { consumer_id: consumer.id });
    await ann.ask("pause_producer", { producer_id: camera });
    await bob.hear("consumer_paused");
    expect(bob.told("producer_changed").at(-1)).toMatchObject({ producer: { paused: true, muted_by_host: false } });
    await ann.ask("resume_producer", { producer_id: camera });
    await bob.hear("consumer_resumed");
    await ann.ask("close_producer", { producer_id: camera });
    await bob.hear("consumer_closed", ({ consumer_id }) => consumer_id === consumer.id);
    await bob.hear("producer_removed");
    await expect(bob.ask("resume_consumer", { consumer_id: consumer.id })).rejects.toMatchObject({ code: "not_found" });
  });

  it("lets only hosts run the room, and speakers send", async () => {
    await using bench = await openRooms();
    const { id, host, tokenFor } = await bench.newRoom();
    const [ann, bob] = [bench.guest(id), bench.guest(id)];
    await ann.ask("join", { token: host.token, name: "Ann" });
    const { self } = await bob.ask("join", { token: await tokenFor("attendee"), name: "Bob" });
    await expect(bob.ask("create_transport", { direction: "send" })).rejects.toMatchObject({ code: "forbidden" });
    for (const [type, request] of [
      ["lock", {}],
      ["mute_all", {}],
      ["end_room", {}],
      ["create_invite", { role: "host" }],
      ["set_role", { participant_id: self.id, role: "host" }],
    ] as const) {
      await expect(bob.ask(type, request as never)).rejects.toMatchObject({ code: "forbidden" });
    }
    await bob.ask("raise_hand", { raised: true });
    await ann.ask("set_role", { participant_id: self.id, role: "speaker" });
    expect(bob.told("role_changed")).toMatchObject([{ role: "speaker" }]);
    expect(ann.told("participant_changed").at(-1)).toMatchObject({
      participant: { role: "speaker", hand_raised_at: null },
    });
    const microphone = await send(bob, "microphone");
    await ann.ask("set_role", { participant_id: self.id, role: "attendee" });
    await ann.hear("producer_removed", ({ producer_id }) => producer_id === microphone);
    await expect(
      ann.ask("set_role", { participant_id: ann.told("participant_joined")[0]?.participant.id ?? "", role: "host" }),
    ).resolves.toEqual({});
  });

  it("keeps at least one host", async () => {
    await using bench = await openRooms();
    const { id, host } = await bench.newRoom();
    const ann = bench.guest(id);
    const { self } = await ann.ask("join", { token: host.token, name: "Ann" });
    const stepDown = { participant_id: self.id, role: "attendee" } as const;
    await expect(ann.ask("set_role", stepDown)).rejects.toMatchObject({ code: "conflict" });
  });

  it("lets a host mute one and all; who was muted can speak again", async () => {
    await using bench = await openRooms();
    const { id, host, tokenFor } = await bench.newRoom();
    const [ann, bob, eve] = [bench.guest(id), bench.guest(id), bench.guest(id)];
    await ann.ask("join", { token: host.token, name: "Ann" });
    const speaker = await tokenFor("speaker");
    const { self } = await bob.ask("join", { token: speaker, name: "Bob" });
    await eve.ask("join", { token: speaker, name: "Eve" });
    await send(ann, "microphone");
    const microphone = await send(bob, "microphone");
    await send(eve, "microphone");
    await ann.ask("mute", { participant_id: self.id, source: "microphone" });
    expect(bob.told("muted_by_host")).toMatchObject([{ source: "microphone" }]);
    expect(eve.told("producer_changed")).toMatchObject([
      { producer: { id: microphone, paused: true, muted_by_host: true } },
    ]);
    await bob.ask("resume_producer", { producer_id: microphone });
    expect(eve.told("producer_changed").at(-1)).toMatchObject({ producer: { paused: false, muted_by_host: false } });
    expect(await ann.ask("mute_all", {})).toEqual({ muted: 2 });
    expect(ann.told("muted_by_host")).toEqual([]);
    await expect(ann.ask("mute", { participant_id: self.id, source: "screen" })).rejects.toMatchObject({
      code: "not_found",
    });
    const audited = bench.logger.lines.filter(({ fields }) => (fields as { audit?: boolean }).audit === true);
    expect(audited.map(({ fields }) => (fields as { action: string }).action)).toEqual(["mute", "mute_all"]);
  });

  it("removes somebody for good: neither invite nor resume token works again", async () => {
    await using bench = await openRooms();
    const { id, host, tokenFor } = await bench.newRoom();
    const [ann, bob, eve] = [bench.guest(id), bench.guest(id), bench.guest(id)];
    await ann.ask("join", { token: host.token, name: "Ann" });
    const token = await tokenFor("attendee");
    const { self, resume_token } = await bob.ask("join", { token, name: "Bob" });
    const eveJoined = await eve.ask("join", { token, name: "Eve" });
    await ann.ask("remove", { participant_id: self.id });
    expect(bob.told("removed")).toMatchObject([{ reason: "removed" }]);
    expect(bob.closed?.code).toBe(4403);
    expect(eve.told("participant_left")).toMatchObject([{ participant_id: self.id, reason: "removed" }]);
    const again = bench.guest(id);
    await expect(again.ask("join", { token, name: "Bob", resume_token })).rejects.toMatchObject({
      code: "invite_invalid",
    });
    expect(again.closed?.code).toBe(4401);
    // Who came by the same link stays, and comes back by its own seat.
    eve.vanish();
    const eveAgain = bench.guest(id);
    const seat = { token, name: "Eve", resume_token: eveJoined.resume_token };
    expect(await eveAgain.ask("join", seat)).toMatchObject({ resumed: true });
  });

  it("keeps the place of whoever is cut off for a minute", async () => {
    await using bench = await openRooms();
    const { id, host, tokenFor } = await bench.newRoom();
    const [ann, bob] = [bench.guest(id), bench.guest(id)];
    await ann.ask("join", { token: host.token, name: "Ann" });
    const token = await tokenFor("attendee");
    const { self, resume_token } = await bob.ask("join", { token, name: "Bob" });
    await bob.ask("raise_hand", { raised: true });
    await ann.ask("set_role", { participant_id: self.id, role: "speaker" });
    bob.vanish();
    expect(ann.told("participant_left")).toMatchObject([{ reason: "lost" }]);
    bench.clock.advance(59_000);

    const back = bench.guest(id);
    const joined = await back.ask("join", { token: "not looked at", name: "Bob", resume_token });
    expect(joined).toMatchObject({ resumed: true, self: { id: self.id, role: "speaker" } });
    // The old socket may hang where the new one is there already.
    const another = bench.guest(id);
    expect(await another.ask("join", { token, name: "Bob", resume_token })).toMatchObject({ resumed: true });
    expect(back.closed?.code).toBe(4409);
    expect(back.told("removed")).toMatchObject([{ reason: "replaced" }]);
    bench.clock.advance(61_000);
    another.vanish();
    bench.clock.advance(61_000);
    const late = await bench.guest(id).ask("join", { token, name: "Bob", resume_token });
    expect(late).toMatchObject({ resumed: false, self: { role: "attendee" } });
  });

  it("refuses tokens that are forged, expired, revoked or another room's", async () => {
    await using bench = await openRooms();
    const { id, host, tokenFor } = await bench.newRoom();
    const other = await bench.newRoom();
    const [header, payload, signature] = host.token.split(".") as [string, string, string];
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString()) as object;
    const asHost = Buffer.from(JSON.stringify({ ...claims, jti: "another" })).toString("base64url");
    const unsigned = Buffer.from(JSON.stringify({ alg: "none", typ: "JWT" })).toString("base64url");
    const revoked = await bench.rooms.createInvite(id, { role: "speaker", expiresInS: 60, label: "" });
    await bench.rooms.revokeInvite(id, revoked.id);
    for (const token of [
      "rubbish",
      `${header}.${asHost}.${signature}`,
      `${unsigned}.${payload}.`,
      other.host.token,
      revoked.token,
    ]) {
      const guest = bench.guest(id);
      await expect(guest.ask("join", { token, name: "Eve" })).rejects.toMatchObject({ code: "invite_invalid" });
      expect(guest.closed?.code).toBe(4401);
    }
    const token = await tokenFor("speaker");
    bench.clock.advance(3_601_000);
    await expect(bench.guest(id).ask("join", { token, name: "Eve" })).rejects.toMatchObject({ code: "invite_expired" });
  });

  it("locks, fills up and ends", async () => {
    await using bench = await openRooms({ maxParticipants: 2 });
    const { id, host, tokenFor } = await bench.newRoom();
    const [ann, bob] = [bench.guest(id), bench.guest(id)];
    await ann.ask("join", { token: host.token, name: "Ann" });
    const token = await tokenFor("attendee");
    await ann.ask("lock", {});
    expect(ann.told("room_changed")).toMatchObject([{ room: { locked: true } }]);
    const early = bench.guest(id);
    await expect(early.ask("join", { token, name: "Bob" })).rejects.toMatchObject({ code: "room_locked" });
    expect(early.closed?.code).toBe(4429);
    await ann.ask("unlock", {});
    await bob.ask("join", { token, name: "Bob" });
    await expect(bench.guest(id).ask("join", { token, name: "Eve" })).rejects.toMatchObject({ code: "room_full" });
    const ended = ann.hear("removed");
    expect(await ann.ask("end_room", {})).toEqual({});
    expect(await ended).toMatchObject({ reason: "room_ended" });
    expect(bob.closed?.code).toBe(4410);
    await expect(bench.guest(id).ask("join", { token, name: "Bob" })).rejects.toMatchObject({ code: "gone" });
    expect([...bench.rooms.live]).toEqual([]);
    expect(bench.sfu.stages).toBe(0);
  });

  it("tells late comers what was written, and lets nobody flood", async () => {
    await using bench = await openRooms();
    const { id, host, tokenFor } = await bench.newRoom();
    const ann = bench.guest(id);
    await ann.ask("join", { token: host.token, name: "Ann" });
    for (let i = 0; i < 250; i += 1) {
      await ann.ask("send_text", { text: `line ${i}` });
      bench.clock.advance(1000);
    }
    const bob = bench.guest(id);
    const { texts } = await bob.ask("join", { token: await tokenFor("attendee"), name: "Bob" });
    expect(texts).toHaveLength(200);
    expect(texts.at(-1)).toMatchObject({ seq: 250, text: "line 249", name: "Ann", role: "host" });
    const burst = await Promise.allSettled(Array.from({ length: 12 }, () => bob.ask("send_text", { text: "hi" })));
    expect(burst.filter(({ status }) => status === "rejected")).toHaveLength(2);
    expect(ann.told("text")).toHaveLength(10);
  });

  it("lets go of a room's media with the last one, and of the room when nobody can come back", async () => {
    await using bench = await openRooms();
    const { id, host } = await bench.newRoom();
    const ann = bench.guest(id);
    await ann.ask("join", { token: host.token, name: "Ann" });
    await send(ann, "microphone");
    expect(bench.sfu.stages).toBe(1);
    ann.vanish();
    expect(bench.sfu.stages).toBe(0);
    expect([...bench.rooms.live]).toHaveLength(1);
    bench.clock.advance(60_000);
    expect([...bench.rooms.live]).toEqual([]);
    expect(bench.clock.pending).toBe(0);
  });

  it("goes on over workers, and has everybody come back when one dies (RTC4)", async () => {
    await using bench = await openRooms({ workers: 2, maxParticipants: 40 });
    const { id, host, tokenFor } = await bench.newRoom();
    const ann = bench.guest(id);
    const { router_rtp_capabilities: capabilities } = await ann.ask("join", { token: host.token, name: "Ann" });
    const microphone = await send(ann, "microphone");
    const token = await tokenFor("speaker");
    const crowd = await Promise.all(
      Array.from({ length: 26 }, async (_, i) => {
        const guest = bench.guest(id);
        const joined = await guest.ask("join", { token, name: `Guest ${i}` });
        return { guest, joined, consumer: await receive(guest, capabilities, microphone) };
      }),
    );
    const pids = bench.sfu.workers.map(({ pid }) => pid);
    expect(pids.filter((pid) => pid !== undefined)).toHaveLength(2);
    process.kill(pids[1] as number, "SIGKILL");
    const told = await Promise.all(crowd.map(({ guest }) => guest.hear("reconnect")));
    expect(told[0]).toMatchObject({ reason: "worker_lost" });
    expect(ann.closed?.code).toBe(4503);
    const { guest, joined } = crowd[25] as (typeof crowd)[number];
    expect(guest.closed?.code).toBe(4503);
    const back = bench.guest(id);
    const again = await back.ask("join", { token, name: "Guest 25", resume_token: joined.resume_token });
    expect(again).toMatchObject({ resumed: true, self: { id: joined.self.id }, producers: [] });
    await send(back, "microphone");
  });

  it("takes a message for what it is", async () => {
    await using bench = await openRooms();
    const { id, host } = await bench.newRoom();
    const early = bench.guest(id);
    await expect(early.ask("ping", {})).rejects.toMatchObject({ code: "unauthorized" });
    expect(early.closed?.code).toBe(4401);
    const silent = bench.guest(id);
    bench.clock.advance(10_000);
    expect(silent.closed?.code).toBe(4400);
    const ann = bench.guest(id);
    await ann.ask("join", { token: host.token, name: "Ann" });
    await expect(ann.ask("join", { token: host.token, name: "Ann" })).rejects.toMatchObject({ code: "conflict" });
    await expect(ann.ask("send_text", { text: " " })).rejects.toMatchObject({ code: "bad_request" });
    for (let i = 0; i < 19; i += 1) ann.session.onMessage("{");
    expect(ann.closed?.code).toBe(4400);
    expect([...bench.rooms.live][0]?.participants.size).toBe(0);
  });
});
