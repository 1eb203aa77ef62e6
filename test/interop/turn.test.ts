import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { IceServers, parseIceServers } from "../../apps/backend/src/sfu/ice-servers.ts";
import { BackendProcess } from "../harness/backend.ts";
import { CHROMIUM, openChromium } from "../harness/chromium.ts";
import { NetworkNamespace, withoutNamespaces } from "../harness/network-namespace.ts";
import { requirePackages } from "../harness/required-packages.ts";
import { TurnServer } from "../harness/turn-server.ts";
import { until } from "../harness/until.ts";
import { WebRtcPage } from "../harness/webrtc-page.ts";

requirePackages("chromium", "coturn", "iproute2");

const SECRET = "the north wind";

/** The way that media takes, as the browser sees it. */
interface Way {
  readonly local: string;
  readonly protocol: string;
  readonly relayProtocol: string | undefined;
  readonly remote: string;
}

/** Opens a session as a client does that asks for ICE servers first: RFC 9725 § 4.6. @returns the resource. */
function connect(
  { page }: WebRtcPage,
  options: { url: string; key?: string; policy?: RTCIceTransportPolicy; iceServers?: readonly object[] },
): Promise<string> {
  return page.evaluate(async ({ url, key, policy = "all", iceServers }) => {
    const asked = iceServers ?? serversOf((await fetch(url, { method: "OPTIONS" })).headers.get("link") ?? "");
    const peer = new RTCPeerConnection({
      bundlePolicy: "max-bundle",
      iceServers: asked as RTCIceServer[],
      iceTransportPolicy: policy,
    });
    const tools = window.rtc as unknown as {
      media(options: object): MediaStream;
      exchange(peer: RTCPeerConnection, url: string, key?: string): Promise<{ resource: string }>;
      connected(peer: RTCPeerConnection): Promise<void>;
    };
    if (key !== undefined) {
      for (const track of tools.media({}).getTracks()) peer.addTransceiver(track, { direction: "sendonly" });
    } else {
      for (const kind of ["audio", "video"]) peer.addTransceiver(kind, { direction: "recvonly" });
    }
    const failed = new Promise<never>((_, reject) => {
      peer.addEventListener("icecandidateerror", (event) => {
        const { errorCode, errorText } = event as RTCPeerConnectionIceErrorEvent;
        if (errorCode === 401) reject(new Error(`ICE server: ${errorCode} ${errorText}`));
      });
    });
    const { resource } = await tools.exchange(peer, url, key);
    await Promise.race([tools.connected(peer), failed]);
    return resource;

    function serversOf(header: string): RTCIceServer[] {
      return [...header.matchAll(/<([^>]+)>; rel="ice-server"((?:; [a-z-]+="(?:[^"\\]|\\.)*")*)/g)].map(
        ([, urls = "", rest = ""]) => {
          const parameter = (name: string) => new RegExp(`; ${name}="([^"]*)"`).exec(rest)?.[1] ?? "";
          return { urls, username: parameter("username"), credential: parameter("credential") };
        },
      );
    }
  }, options);
}

/** Waits until media has gone through. */
function wayOf({ page }: WebRtcPage, resource: string): Promise<Way> {
  return until(
    () =>
      page.evaluate(async (given) => {
        const stats = await window.rtc.peer(given).getStats();
        let found: { local: string; protocol: string; relayProtocol: string | undefined; remote: string } | undefined;
        for (const transport of stats.values()) {
          if (transport.type !== "transport" || transport.dtlsState !== "connected") continue;
          const pair = stats.get(transport.selectedCandidatePairId);
          // More than what it takes to connect: RTP of either direction.
          if (pair === undefined || pair.bytesSent + pair.bytesReceived < 100_000) continue;
          const local = stats.get(pair.localCandidateId);
          const remote = stats.get(pair.remoteCandidateId);
          found = {
            local: local.candidateType,
            protocol: local.protocol,
            relayProtocol: local.relayProtocol,
            remote: `${remote.protocol} ${remote.address}`,
          };
        }
        return found;
      }, resource),
    { what: "media on its way" },
  );
}

describe("through a TURN server that shares a secret with the backend (RTC4)", () => {
  let browser: Browser;
  let turn: TurnServer;
  let backend: BackendProcess;
  beforeAll(async () => {
    turn = await TurnServer.start({ secret: SECRET });
    const env = { KLIEG_ICE_SERVERS: `${turn.url("udp")},${turn.url("tcp")}`, KLIEG_TURN_SECRET: SECRET };
    [backend, browser] = await Promise.all([BackendProcess.start({ env }), openChromium()]);
  });
  afterAll(async () => {
    await browser?.close();
    await backend?.[Symbol.asyncDispose]();
    await turn?.[Symbol.asyncDispose]();
  });

  test("a peer that may only be relayed publishes, and another watches, with credentials of their own", async () => {
    await using publisher = await WebRtcPage.open(browser);
    const published = await connect(publisher, { url: `${backend.http}/v1/whip`, key: backend.key, policy: "relay" });
    expect(await wayOf(publisher, published)).toMatchObject({ local: "relay", remote: "udp 127.0.0.1" });
    await backend.live();

    await using viewer = await WebRtcPage.open(browser);
    const watched = await connect(viewer, { url: `${backend.http}/v1/whep/demo`, policy: "relay" });
    expect(await wayOf(viewer, watched)).toMatchObject({ local: "relay" });

    const now = Date.now() / 1000;
    const expiries = turn.users.map((user) => Number(user.split(":")[0]) - now);
    expect(expiries.length).toBeGreaterThanOrEqual(2);
    for (const left of expiries) expect(left).toBeGreaterThan(86_000);
  });

  test("relayed by TCP where UDP does not reach the TURN server", async () => {
    await using publisher = await WebRtcPage.open(browser);
    const ice = new IceServers({
      servers: parseIceServers(turn.url("tcp")),
      turnSecret: SECRET,
      turnTtlS: 600,
      wall: () => Date.now(),
    });
    const published = await connect(publisher, {
      url: `${backend.http}/v1/whip`,
      key: await backend.openChannel("by-tcp"),
      policy: "relay",
      iceServers: ice.issue("test"),
    });
    expect(await wayOf(publisher, published)).toMatchObject({ local: "relay", relayProtocol: "tcp" });
  });

  test.each([
    ["made with another secret", "the south wind", 600],
    ["that have expired", SECRET, -1],
  ])("credentials %s are refused", async (_, turnSecret, turnTtlS) => {
    await using publisher = await WebRtcPage.open(browser);
    const servers = parseIceServers(turn.url());
    const ice = new IceServers({ servers, turnSecret, turnTtlS, wall: () => Date.now() });
    const connecting = connect(publisher, {
      url: `${backend.http}/v1/whip`,
      key: backend.key,
      policy: "relay",
      iceServers: ice.issue("test"),
    });
    await expect(connecting).rejects.toThrow("ICE server: 401 Unauthorized");
  });
});

describe("straight to the backend (RTC4)", () => {
  test("over IPv6", async () => {
    await using backend = await BackendProcess.start({ env: { KLIEG_HOST: "::1" } });
    await using browser = await openChromium();
    await using page = await WebRtcPage.open(browser);
    const resource = await connect(page, { url: `http://[::1]:${backend.ports.http}/v1/whip`, key: backend.key });
    expect(await wayOf(page, resource)).toMatchObject({ protocol: "udp", remote: "udp ::1" });
  });

  test("by ICE-TCP from a network that lets no UDP out", async ({ skip }) => {
    skip(withoutNamespaces !== undefined, withoutNamespaces);
    await using network = await NetworkNamespace.open();
    await network.blockUdp();
    await using backend = await BackendProcess.start({ env: { KLIEG_HOST: network.hostAddress } });
    await using browser = await openChromium({ program: await network.wrap(CHROMIUM) });
    const http = `http://${network.hostAddress}:${backend.ports.http}`;
    await using publisher = await WebRtcPage.open(browser, {}, network.hostAddress);
    const published = await connect(publisher, { url: `${http}/v1/whip`, key: backend.key });
    expect(await wayOf(publisher, published)).toMatchObject({ protocol: "tcp", remote: `tcp ${network.hostAddress}` });
  });
});
