import { Emitter, ManualClock } from "@klieg/base";
import { KliegError } from "@klieg/protocol";
import { beforeEach, describe, expect, it } from "vitest";
import type { LiveStreams } from "../../live/live-streams.ts";
import type { SfuPeer, SfuPeerEvents, SfuPeerState } from "../../sfu/sfu-peer.ts";
import type { SfuStage } from "../../sfu/sfu-stage.ts";
import type { ContributionSession } from "../../stream/contribution.ts";
import { RecordingLogger } from "../../testing/recording-logger.ts";
import { WhipSession } from "./whip-session.ts";

const UFRAG = "a=ice-ufrag:theirs\r\na=ice-pwd:a-password-of-theirs-22\r\n";

/** A peer whose network the test decides about. */
class FakePeer {
  readonly events = new Emitter<SfuPeerEvents>();
  state: SfuPeerState = "new";
  bytesReceived = 0;
  restarts = 0;
  readonly transport = {
    iceCandidates: [],
    getStats: async () => [{ bytesReceived: this.bytesReceived, recvBitrate: 0 }],
    restartIce: async () => {
      this.restarts += 1;
      return { usernameFragment: `ours${this.restarts}`, password: "p", iceLite: true };
    },
  };

  enter(state: SfuPeerState, end?: "dtls" | "worker"): void {
    this.state = state;
    this.events.emit("state", { state, ...(end === undefined ? {} : { end }) });
  }
}

describe("a WHIP session (ING3)", () => {
  let clock: ManualClock;
  let peer: FakePeer;
  let session: WhipSession;
  let stageClosed: number;
  let contributions: { session: ContributionSession; closed: string | undefined }[];
  let refusal: KliegError | undefined;

  beforeEach(() => {
    clock = new ManualClock();
    peer = new FakePeer();
    stageClosed = 0;
    contributions = [];
    refusal = undefined;
    const live = {
      contribute: (_: unknown, from: ContributionSession) => {
        if (refusal !== undefined) throw refusal;
        const contribution = { session: from, closed: undefined as string | undefined };
        contributions.push(contribution);
        return {
          guard: { warn: () => undefined, clear: () => undefined },
          close: ({ message }: { message: string }) => {
            contribution.closed ??= message;
          },
        };
      },
    };
    const close = () => {
      stageClosed += 1;
    };
    session = new WhipSession({
      stage: { producers: new Map(), close } as unknown as SfuStage,
      peer: peer as unknown as SfuPeer,
      admission: { channel: { name: "demo" }, keyId: "k" } as never,
      live: live as unknown as LiveStreams,
      clock,
      logger: new RecordingLogger(),
      encoder: "test",
      remoteAddress: "192.0.2.1",
      iceUfrag: "theirs",
      bundle: [],
      tracks: [],
    });
  });

  /** Seconds go by, in which the worker is asked each time, and answers. */
  const pass = async (seconds: number, heard: boolean) => {
    for (let second = 0; second < seconds; second += 1) {
      if (heard) peer.bytesReceived += 1000;
      clock.advance(1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  it("is the source once it has connected, and not before", async () => {
    expect(contributions).toHaveLength(0);
    peer.enter("connected");
    expect([session.state, contributions.length]).toEqual(["publishing", 1]);
    await pass(60, true);
    expect([session.state, contributions[0]?.closed]).toEqual(["publishing", undefined]);
    session.end({ by: "peer", message: "the encoder has stopped" });
    expect([session.state, contributions[0]?.closed, stageClosed]).toEqual(["closed", "the encoder has stopped", 1]);
    expect(clock.pending).toBe(0);
  });

  it("is closed when it does not connect in time", async () => {
    await pass(14, false);
    expect(session.state).toBe("connecting");
    await pass(1, false);
    expect([session.state, stageClosed, clock.pending]).toEqual(["closed", 1, 0]);
  });

  it("stops being the source within seconds of silence, and is it again when something comes", async () => {
    peer.enter("connected");
    await pass(5, true);
    await pass(8, false);
    expect([session.state, contributions[0]?.closed]).toEqual(["lost", "nothing came from the encoder any more"]);
    await pass(10, false);
    await pass(1, true);
    expect([session.state, contributions.length, stageClosed]).toEqual(["publishing", 2, 0]);
    await pass(60, true);
    expect(session.state).toBe("publishing");
  });

  it("ends when a lost encoder does not come back", async () => {
    peer.enter("connected");
    peer.enter("disconnected");
    expect(session.state).toBe("lost");
    await pass(30, false);
    expect([session.state, stageClosed, clock.pending]).toEqual(["closed", 1, 0]);
  });

  it("ends with its peer: when it says goodbye, and when the worker dies", () => {
    peer.enter("connected");
    const ends: unknown[] = [];
    session.events.on("closed", ({ reason }) => ends.push(reason.error?.message ?? reason.message));
    peer.enter("closed", "worker");
    expect([contributions[0]?.closed, ends]).toEqual([
      "The media worker of this server failed; connect again.",
      ["The media worker of this server failed; connect again."],
    ]);
    expect(clock.pending).toBe(0);
  });

  it("ends with the reason where the stream refuses it", () => {
    const ends: unknown[] = [];
    session.events.on("closed", ({ reason }) => ends.push((reason.error as KliegError).code));
    refusal = new KliegError("overloaded", "Too many.");
    peer.enter("connected");
    expect([session.state, ends, stageClosed]).toEqual(["closed", ["overloaded"], 1]);
  });

  it("ends with the reason where it is put off later", () => {
    peer.enter("connected");
    contributions[0]?.session.refuse(new KliegError("taken_over", "Another one."));
    contributions[0]?.session.refuse(new KliegError("timeout", "Late."));
    expect([session.state, contributions[0]?.closed]).toEqual(["closed", "Another one."]);
  });

  it("restarts ICE under a new entity tag, and takes nothing of the old one any more", async () => {
    const { etag } = session.ice;
    const candidate = `${UFRAG}a=end-of-candidates\r\n`;
    expect(await session.ice.patch(candidate, etag)).toBeUndefined();
    expect(await session.ice.patch(candidate, `"other", ${etag}`)).toBeUndefined();
    await expect(session.ice.patch(candidate, undefined)).rejects.toMatchObject({ code: "precondition_required" });
    await expect(session.ice.patch(candidate, `W/${etag}`)).rejects.toMatchObject({ code: "precondition_failed" });
    await expect(session.ice.patch("a=end-of-candidates\r\n", "*")).rejects.toMatchObject({ code: "sdp_invalid" });
    const renewed = UFRAG.replace("theirs", "renewed");
    const [first, second] = await Promise.all([session.ice.patch(renewed, "*"), session.ice.patch(renewed, "*")]);
    expect([first?.fragment.includes("ours1"), second?.fragment.includes("ours2")]).toEqual([true, true]);
    expect(new Set([etag, first?.etag, second?.etag]).size).toBe(3);
    await expect(session.ice.patch(candidate, etag)).rejects.toMatchObject({ code: "precondition_failed" });
    await expect(session.ice.patch(candidate, session.ice.etag)).rejects.toMatchObject({ code: "precondition_failed" });
    expect(await session.ice.patch(renewed, session.ice.etag)).toBeUndefined();
    peer.enter("closed", "dtls");
    await expect(session.ice.patch(renewed, "*")).rejects.toMatchObject({ code: "gone" });
  });

  it("has an id that nobody guesses", () => {
    expect(session.id).toMatch(/^[A-Za-z0-9_-]{24}$/);
  });
});
