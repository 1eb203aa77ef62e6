import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { createWorker, type types } from "mediasoup";
import { H264_PAYLOAD_TYPE } from "./bench-peer.ts";

// mediasoup and nothing else: one worker, one router, a WebRtcTransport for each peer. `POST /publish` and `POST /watch`
// take an offer of one H.264 section and answer it. Prints its port and the worker's process id.

const [program] = process.argv.slice(2);
const worker = await createWorker({ logLevel: "error", ...(program === undefined ? {} : { workerBin: program }) });
const router = await worker.createRouter({
  mediaCodecs: [
    {
      kind: "video",
      mimeType: "video/H264",
      clockRate: 90_000,
      preferredPayloadType: H264_PAYLOAD_TYPE,
      parameters: { "packetization-mode": 1, "profile-level-id": "42e01f", "level-asymmetry-allowed": 1 },
    },
  ],
});
const server = await worker.createWebRtcServer({ listenInfos: [{ protocol: "udp", ip: "127.0.0.1" }] });
let producer: types.Producer | undefined;

async function answer(offer: string, publishes: boolean): Promise<string> {
  const transport = await router.createWebRtcTransport({
    webRtcServer: server,
    initialAvailableOutgoingBitrate: 1_500_000,
  });
  const fingerprint = /^a=fingerprint:(\S+) (\S+)/m.exec(offer);
  const extensions = [...offer.matchAll(/^a=extmap:(\d+) (\S+)/gm)].map(([, id, uri]) => ({
    id: Number(id),
    uri: uri as types.RtpHeaderExtensionUri,
  }));
  const mid = /^a=mid:(\S+)/m.exec(offer)?.[1] ?? "0";
  const [, algorithm = "sha-256", value = ""] = fingerprint ?? [];
  await transport.connect({
    dtlsParameters: { role: "client", fingerprints: [{ algorithm: algorithm as types.FingerprintAlgorithm, value }] },
  });
  const feedback = [{ type: "nack" }, { type: "nack", parameter: "pli" }, { type: "transport-cc" }];
  let source = "";
  let sent = extensions;
  if (publishes) {
    producer = await transport.produce({
      kind: "video",
      rtpParameters: {
        codecs: [
          {
            mimeType: "video/H264",
            payloadType: H264_PAYLOAD_TYPE,
            clockRate: 90_000,
            parameters: { "packetization-mode": 1, "profile-level-id": "42e01f", "level-asymmetry-allowed": 1 },
            rtcpFeedback: feedback,
          },
        ],
        headerExtensions: extensions,
        encodings: [{ ssrc: Number(/^a=ssrc:(\d+)/m.exec(offer)?.[1]) }],
        rtcp: { cname: "bench" },
      },
    });
  } else {
    if (producer === undefined) throw new Error("nobody publishes");
    const consumer = await transport.consume({
      producerId: producer.id,
      rtpCapabilities: {
        codecs: router.rtpCapabilities.codecs?.filter(({ mimeType }) => mimeType === "video/H264") ?? [],
        headerExtensions: extensions.map(({ id, uri }) => ({ kind: "video", uri, preferredId: id })),
      },
    });
    sent = consumer.rtpParameters.headerExtensions ?? [];
    source = `a=ssrc:${consumer.rtpParameters.encodings?.[0]?.ssrc} cname:bench\r\n`;
  }
  const { iceParameters, iceCandidates, dtlsParameters } = transport;
  const { fingerprints } = dtlsParameters;
  const own = fingerprints.find((each) => each.algorithm === "sha-256");
  return `${[
    ...["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=ice-lite", `a=group:BUNDLE ${mid}`],
    ...[`m=video 9 UDP/TLS/RTP/SAVPF ${H264_PAYLOAD_TYPE}`, "c=IN IP4 0.0.0.0", "a=rtcp-mux", `a=mid:${mid}`],
    ...[publishes ? "a=recvonly" : "a=sendonly", `a=rtpmap:${H264_PAYLOAD_TYPE} H264/90000`],
    `a=fmtp:${H264_PAYLOAD_TYPE} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f`,
    ...feedback.map(({ type, parameter }) => `a=rtcp-fb:${H264_PAYLOAD_TYPE} ${[type, parameter].join(" ").trim()}`),
    ...sent.map(({ id, uri }) => `a=extmap:${id} ${uri}`),
    ...[`a=ice-ufrag:${iceParameters.usernameFragment}`],
    ...[`a=ice-pwd:${iceParameters.password}`, `a=fingerprint:${own?.algorithm} ${own?.value}`, "a=setup:passive"],
    ...iceCandidates.map(
      (c) => `a=candidate:${c.foundation} 1 ${c.protocol} ${c.priority} ${c.address} ${c.port} typ host`,
    ),
    "a=end-of-candidates",
  ].join("\r\n")}\r\n${source}`;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += chunk;
  return body;
}

const http = createServer((request, response) => {
  bodyOf(request)
    .then((offer) => answer(offer, request.url === "/publish"))
    .then(
      (sdp) => response.writeHead(201, { "content-type": "application/sdp" }).end(sdp),
      (error: Error) => response.writeHead(500).end(error.stack),
    );
});
http.listen(0, "127.0.0.1", () => {
  console.log(`port ${(http.address() as AddressInfo).port} worker ${worker.pid}`);
});
