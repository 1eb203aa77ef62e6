import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join, resolve } from "node:path";
import { systemClock } from "@klieg/base";
import { RtmpServer } from "@klieg/rtmp";
import { pino } from "pino";
import pretty from "pino-pretty";
import { DiskAppendStore } from "./adapters/disk/disk-append-store.ts";
import { DiskBlobStore } from "./adapters/disk/disk-blob-store.ts";
import { readInstallation, writePrivately } from "./adapters/disk/installation-file.ts";
import { SqliteRepositories } from "./adapters/sqlite/sqlite-repositories.ts";
import { renderBanner } from "./banner.ts";
import { Channels } from "./channels/channels.ts";
import { StreamKeySigner } from "./channels/stream-key.ts";
import type { Config } from "./config.ts";
import { Addresses } from "./http/addresses.ts";
import { createApi } from "./http/api.ts";
import { MediaDoor } from "./http/media-door.ts";
import { RoomDoor } from "./http/room-door.ts";
import { rtmpIngest } from "./ingest/rtmp/rtmp-ingest.ts";
import { SrtIngest } from "./ingest/srt/srt-ingest.ts";
import { WhipIngest } from "./ingest/whip/whip-ingest.ts";
import { Metrics } from "./insight/metrics.ts";
import { RequestCounts } from "./insight/request-counts.ts";
import { LiveStreams } from "./live/live-streams.ts";
import type { Logger } from "./ports/logger.ts";
import { InviteSigner } from "./rooms/invite-signer.ts";
import { Recordings } from "./rooms/recordings.ts";
import { RoomPrograms } from "./rooms/room-programs.ts";
import { Rooms } from "./rooms/rooms.ts";
import { resolveAnnounced, resolveHost } from "./sfu/address-resolution.ts";
import { IceServers } from "./sfu/ice-servers.ts";
import { listenAddresses, tells } from "./sfu/listen-addresses.ts";
import { findRtcPorts } from "./sfu/rtc-ports.ts";
import { Sfu } from "./sfu/sfu.ts";
import { WorkerArrival } from "./sfu/worker-arrival.ts";
import { findWorkerProgram } from "./sfu/worker-program.ts";
import { TranscodeEngine } from "./transcode/transcode-engine.ts";
import { WhepDoor } from "./watch/whep-door.ts";

/** A backend that runs. */
export interface Backend extends AsyncDisposable {
  readonly logger: Logger;
  /** What the operator is shown. */
  readonly banner: string;
  readonly addresses: Addresses;
  /** Ports that the doors really have. */
  readonly ports: {
    readonly http: number;
    readonly rtmp: number;
    readonly rtmps: number | undefined;
    readonly srt: number;
    /** Of the first media worker; undefined where WebRTC is switched off. */
    readonly rtc: number | undefined;
  };
  /** Ends every stream, answers who waits, closes every door. Idempotent. */
  close(): Promise<void>;
}

const PLAYER_FOLDER = resolve(import.meta.dirname, "../../player/dist");
const STUDIO_FOLDER = resolve(import.meta.dirname, "../../studio/dist");
const HTTP_LINGER_MS = 2000;
const PACKAGE_FILE = resolve(import.meta.dirname, "../package.json");

/** What listens must not be left listening when a later step of the start fails: undone in reverse. */
export async function compose(config: Config): Promise<Backend> {
  await using undo = new AsyncDisposableStack();
  const clock = systemClock;
  const logger = createLogger(config);
  const dataDir = resolve(config.dataDir);
  const host = config.host ?? everyAddress();
  await mkdir(dataDir, { recursive: true });
  const { version } = JSON.parse(await readFile(PACKAGE_FILE, "utf8")) as { version: string };

  const installation = await readInstallation(dataDir);
  const repositories = undo.use(await SqliteRepositories.open(join(dataDir, "klieg.db")));
  const blobs = undo.use(await DiskBlobStore.open(join(dataDir, "blobs")));
  const leftOpen = await repositories.streams.endAll(clock.wall(), "the backend was restarted");
  // What a crash left of live streams belongs to none that can come back.
  await blobs.deletePrefix("live/");
  if (leftOpen > 0)
    logger.warn({ streams: leftOpen }, "streams were open when the backend last stopped; they are ended");

  const channels = new Channels({ repositories, signer: new StreamKeySigner(installation.streamKeySecret), clock });
  const first = await channels.bootstrap(config.bootstrapChannel, config.bootstrapStreamKey);

  const engine = await TranscodeEngine.start({
    logger,
    ffmpegPath: config.ffmpegPath,
    hardware: config.hardwareEncoders,
  });

  const { sfu: openSfu, port: rtcPort } = await startSfu(config, logger);
  const sfu = undo.use(openSfu);
  if (config.webrtc && config.mediasoupWorker === undefined) {
    undo.use(new WorkerArrival({ sfu, clock, logger, find: () => findWorkerProgram() }));
  }

  const counts = new RequestCounts();
  // The metrics read the streams, and the streams report to the metrics: neither calls the other before both are there.
  const metrics: Metrics = new Metrics({
    broadcasts: () => live.list(),
    requests: counts,
    sfu: () => sfu.statistics(),
    webrtc: { publishers: () => whip.sessions, viewersOf: (streamId) => whep.viewersOf(streamId) },
    rooms: () => {
      const open = [...rooms.live];
      const participants = open.reduce((sum, room) => sum + room.participants.size, 0);
      return { open: open.length, participants, sockets: roomDoor.sockets, ...programs.counts };
    },
  });
  const live = undo.use(
    new LiveStreams({
      clock,
      logger,
      repositories,
      channels,
      maxStreams: config.maxStreams,
      reconnectGraceMs: config.reconnectGraceMs,
      endedRetentionMs: config.endedRetentionMs,
      services: {
        clock,
        logger,
        blobs,
        partMs: config.partMs,
        segmentMs: config.segmentMs,
        windowMs: config.windowMs,
        engine,
        ladder: config.ladder,
        sfu,
        observePart: (origin, latencyMs) => metrics.observePart(origin, latencyMs),
      },
    }),
  );

  await live.recover();

  let ready = false;
  const media = new MediaDoor({ live, counts, logger });
  const rtmp = undo.use(new RtmpServer({ onPublish: rtmpIngest({ channels, live, logger }) }));
  const rtmpAddress = await listen("KLIEG_RTMP_PORT", config.rtmpPort, () =>
    rtmp.listen({ port: config.rtmpPort, host }),
  );
  const { rtmps } = config;
  const rtmpsAddress =
    rtmps === undefined
      ? undefined
      : await listen("KLIEG_RTMPS_PORT", rtmps.port, async () =>
          rtmp.listen({
            port: rtmps.port,
            host,
            tls: { cert: await readFile(rtmps.certFile), key: await readFile(rtmps.keyFile) },
          }),
        );
  const srt = undo.use(
    new SrtIngest({
      channels,
      live,
      logger,
      latencyMs: config.srtLatencyMs,
      passphrase: config.srtPassphrase,
    }),
  );
  const whep = undo.use(new WhepDoor({ channels, live, sfu, clock, logger }));
  const whip = undo.use(new WhipIngest({ channels, live, sfu, clock, logger }));
  const srtPort = await listen("KLIEG_SRT_PORT", config.srtPort, () => srt.listen({ port: config.srtPort, host }));

  const book = {
    http: config.publicUrl ?? "",
    ingestHost: config.publicUrl === undefined ? "localhost" : new URL(config.publicUrl).hostname,
    rtmpPort: rtmpAddress.port,
    rtmpsPort: rtmpsAddress?.port,
    srtPort,
  };
  const addresses = new Addresses(book);
  const iceServers = new IceServers({
    servers: config.iceServers,
    turnSecret: config.turnSecret,
    turnTtlS: config.turnTtlS,
    wall: () => clock.wall(),
  });
  const inviteSigner = new InviteSigner(installation.streamKeySecret, () => clock.wall());
  const recordings = new Recordings({
    clock,
    logger,
    repositories,
    files: undo.use(await DiskAppendStore.open(join(dataDir, "recordings"))),
    signer: inviteSigner,
    maxBytes: config.maxRecordingMb * 1024 * 1024,
  });
  await recordings.recover();
  const programs = undo.use(new RoomPrograms({ clock, logger, channels, live, engine, recordings }));
  const rooms = undo.use(
    new Rooms({
      clock,
      logger,
      repositories,
      channels,
      sfu,
      iceServers,
      signer: inviteSigner,
      inviteLink: (roomId, token) => addresses.roomInvite(roomId, token),
      maxParticipants: config.maxRoomParticipants,
      onReleased: (room) => programs.release(room),
    }),
  );
  await rooms.prepare();
  const roomDoor = new RoomDoor({
    rooms,
    programs,
    iceServers,
    clock,
    logger,
    ownOrigin: () => new URL(addresses.http).origin,
    trustedProxies: config.trustedProxies,
  });
  const api = await createApi({
    services: {
      clock,
      channels,
      live,
      metrics,
      addresses,
      sfu,
      whip,
      whep,
      iceServers,
      rooms,
      recordings,
      notReady: () => (ready ? undefined : "starting or shutting down"),
    },
    media,
    roomDoor,
    adminToken: config.adminToken ?? installation.adminToken,
    metricsPublic: config.metricsPublic,
    player: { folder: PLAYER_FOLDER },
    studio: { folder: STUDIO_FOLDER },
    logger,
    trustedProxies: config.trustedProxies,
    version,
  });
  undo.defer(async () => {
    // Answers that are under way get a moment; who holds a connection open for its own sake does not.
    const insist = clock.after(HTTP_LINGER_MS, () => api.server.closeAllConnections());
    await api.close();
    insist[Symbol.dispose]();
  });
  // Before the HTTP door, which waits for every connection that it has handed over.
  undo.use(roomDoor);
  await listen("KLIEG_HTTP_PORT", config.httpPort, () => api.listen({ port: config.httpPort, host }));
  const httpAddress = api.server.address();
  const httpPort = typeof httpAddress === "object" && httpAddress !== null ? httpAddress.port : config.httpPort;
  if (config.publicUrl === undefined) book.http = `http://${book.ingestHost}:${httpPort}`;

  const ports = { http: httpPort, rtmp: rtmpAddress.port, rtmps: rtmpsAddress?.port, srt: srtPort, rtc: rtcPort };
  await writePrivately(
    join(dataDir, "bootstrap.json"),
    `${JSON.stringify(
      {
        channel: config.bootstrapChannel,
        stream_key: first.keyText ?? (await bootstrapKeyOf(dataDir, config.bootstrapChannel)),
        http_port: ports.http,
        rtmp_port: ports.rtmp,
        srt_port: ports.srt,
        rtc_port: ports.rtc ?? null,
        pid: process.pid,
      },
      null,
      2,
    )}\n`,
  );
  ready = true;
  logger.info({ ...ports, version, data: dataDir }, "backend up");

  const resources = undo.move();
  let closing: Promise<void> | undefined;
  const close = () => {
    ready = false;
    // Streams first: whoever waits for the live edge is answered, so that the doors can close.
    closing ??= rooms
      .close()
      .then(() => live.close())
      .then(() => resources.disposeAsync());
    return closing;
  };
  return {
    logger,
    banner: renderBanner({
      addresses,
      channel: config.bootstrapChannel,
      streamKey: first.created ? first.keyText : undefined,
      networkAddress: config.publicUrl === undefined && config.host === undefined ? networkAddress() : undefined,
      webrtcUnavailable: sfu.unavailable,
      adminTokenFile: join(dataDir, "installation.json"),
      playerBuilt: existsSync(join(PLAYER_FOLDER, "index.html")),
      studioBuilt: existsSync(join(STUDIO_FOLDER, "index.html")),
    }),
    addresses,
    ports,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function createLogger(config: Config): Logger {
  const options = { level: config.logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  // Standard error: standard output has the addresses.
  return config.logFormat === "pretty"
    ? pino(
        options,
        pretty({
          destination: 2,
          sync: true,
          colorize: process.stderr.isTTY === true,
          translateTime: "SYS:HH:MM:ss.l",
        }),
      )
    : pino(options, pino.destination({ dest: 2, sync: true }));
}

/**
 * The SFU of this host. Where its program is missing it says so to whoever wants WebRTC, until the program arrives.
 * @throws an Error in words for the operator where its ports cannot be had.
 */
async function startSfu(config: Config, logger: Logger): Promise<{ sfu: Sfu; port: number | undefined }> {
  if (!config.webrtc) return { sfu: Sfu.unavailable(logger, "it is switched off"), port: undefined };
  const announced = await resolveAnnounced(config.announcedAddresses);
  const wanted = listenAddresses(announced, config.host === undefined ? undefined : await resolveHost(config.host));
  const found = await listen("KLIEG_RTC_PORT", config.rtcPort, () =>
    findRtcPorts({ port: config.rtcPort, workers: config.rtcWorkers, addresses: wanted }),
  );
  for (const address of announced.filter((each) => !tells(found.addresses, each))) {
    logger.warn({ address }, "peers are not told of this address: only one of each family may lie behind a NAT");
  }
  const sfu = await Sfu.open({
    logger,
    workerProgram: config.mediasoupWorker === undefined ? findWorkerProgram() : resolve(config.mediasoupWorker),
    workers: config.rtcWorkers,
    port: found.port,
    addresses: found.addresses,
  });
  if (sfu.unavailable !== undefined) logger.warn({ reason: sfu.unavailable }, "there is no WebRTC yet");
  return { sfu, port: found.port };
}

/** @throws an Error in words for the operator where the port cannot be had. */
async function listen<T>(setting: string, port: number, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    const { code, port: taken = port } = error as NodeJS.ErrnoException & { port?: number };
    const why =
      code === "EADDRINUSE"
        ? `port ${taken} is in use by another program; choose another with ${setting}`
        : code === "EACCES"
          ? `port ${taken} may not be opened by this user; choose another with ${setting}`
          : (error as Error).message;
    throw Object.assign(new Error(why, { cause: error }), { code: code ?? "ERR_LISTEN" });
  }
}

/** The key that an earlier start wrote down for local tools, as long as it is of the same channel. */
async function bootstrapKeyOf(dataDir: string, channel: string): Promise<string | null> {
  try {
    const known = JSON.parse(await readFile(join(dataDir, "bootstrap.json"), "utf8")) as Record<string, unknown>;
    return known.channel === channel && typeof known.stream_key === "string" ? known.stream_key : null;
  } catch {
    // Not there, or cut short by a crash: nobody but local tools misses it.
    return null;
  }
}

/** Every address of the machine; IPv4 only where it has no IPv6. */
function everyAddress(): string {
  const families = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return families.some((address) => address.family === "IPv6") ? "::" : "0.0.0.0";
}

/** This machine's first address on the local network, if it has one. */
function networkAddress(): string | undefined {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const address of addresses ?? []) if (!address.internal && address.family === "IPv4") return address.address;
  }
  return undefined;
}
