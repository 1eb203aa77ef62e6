import type { RoomRequestInput } from "@klieg/protocol";
import type { Device, types } from "mediasoup-client";
import type { RoomAsk } from "./room-wire.ts";

/** A way that broke often mends itself within this, ms. */
const PATIENCE_MS = 2000;
/** ICE restarted, and still nothing, ms. */
const RESTART_MS = 8000;
/** Transports that were made in vain before joining again is the better try. */
const MOST_REOPENED = 2;

export interface MediaWayOptions {
  readonly direction: "send" | "recv";
  readonly device: Device;
  readonly ask: RoomAsk;
  readonly iceServers: readonly RTCIceServer[];
  /** What went over the transport went with it; there will be another one for `open()`. */
  readonly onReopened: () => void;
  readonly onHealth: (healthy: boolean) => void;
  readonly onBroken: () => void;
}

/** One direction's transport: made when first needed, restarted where its network changed, made anew where that does not help. */
export class MediaWay implements Disposable {
  readonly #options: MediaWayOptions;
  #opening: Promise<types.Transport> | null = null;
  #transport: types.Transport | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #reopened = 0;
  #closed = false;

  constructor(options: MediaWayOptions) {
    this.#options = options;
  }

  /** The id of the transport there is; null where there is none. */
  get id(): string | null {
    return this.#transport?.id ?? null;
  }

  /** @throws {ApiError} as the server says. */
  open(): Promise<types.Transport> {
    this.#opening ??= this.#make().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    });
    return this.#opening;
  }

  /** The device changed networks: do not wait until the old path is found dead. */
  restart(): void {
    if (this.#transport && ["connected", "disconnected", "failed"].includes(this.#transport.connectionState)) {
      void this.#restart(this.#transport);
    }
  }

  /** The transport is of no use any more. */
  reopen(): void {
    if (this.#closed || !this.#transport) return;
    const { id } = this.#transport;
    this.#stopTimer();
    this.#transport.close();
    this.#transport = null;
    this.#opening = null;
    this.#options.onHealth(false);
    if (++this.#reopened > MOST_REOPENED) {
      this.#options.onBroken();
      return;
    }
    // The server may have closed it first.
    this.#options.ask("close_transport", { transport_id: id }).catch(() => undefined);
    this.#options.onReopened();
  }

  close(): void {
    this.#closed = true;
    this.#stopTimer();
    this.#transport?.close();
    this.#transport = null;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #make(): Promise<types.Transport> {
    const { direction, device, ask, iceServers } = this.#options;
    const made = await ask("create_transport", {
      direction,
      ...(direction === "recv" ? { rtp_capabilities: device.recvRtpCapabilities } : {}),
    } as RoomRequestInput<"create_transport">);
    const transport = device[direction === "send" ? "createSendTransport" : "createRecvTransport"]({
      id: made.id,
      iceParameters: made.ice_parameters as types.IceParameters,
      iceCandidates: made.ice_candidates as types.IceCandidate[],
      dtlsParameters: made.dtls_parameters as types.DtlsParameters,
      iceServers: [...(made.ice_servers.length > 0 ? (made.ice_servers as RTCIceServer[]) : iceServers)],
    });
    if (this.#closed) {
      transport.close();
      return transport;
    }
    this.#transport = transport;
    transport.on("connect", ({ dtlsParameters }, done, failed) => {
      ask("connect_transport", { transport_id: transport.id, dtls_parameters: dtlsParameters }).then(
        () => done(),
        failed,
      );
    });
    transport.on("connectionstatechange", (state) => this.#follow(transport, state));
    return transport;
  }

  #follow(transport: types.Transport, state: types.ConnectionState): void {
    if (transport !== this.#transport) return;
    if (state === "connected") {
      this.#stopTimer();
      this.#reopened = 0;
      this.#options.onHealth(true);
    } else if (state === "disconnected") {
      this.#options.onHealth(false);
      this.#after(PATIENCE_MS, () => void this.#restart(transport));
    } else if (state === "failed") {
      this.#options.onHealth(false);
      void this.#restart(transport);
    }
  }

  async #restart(transport: types.Transport): Promise<void> {
    if (transport !== this.#transport) return;
    this.#after(RESTART_MS, () => this.reopen());
    try {
      const { ice_parameters: iceParameters, ice_servers: iceServers } = await this.#options.ask("restart_ice", {
        transport_id: transport.id,
      });
      if (transport !== this.#transport) return;
      if (iceServers.length > 0) await transport.updateIceServers({ iceServers: iceServers as RTCIceServer[] });
      await transport.restartIce({ iceParameters: iceParameters as types.IceParameters });
      // The path may have been good all along, and then no change of state will tell.
      if (transport === this.#transport && transport.connectionState === "connected") this.#stopTimer();
    } catch (error) {
      console.info("Klieg: ICE could not be restarted:", error);
      if (transport === this.#transport) this.reopen();
    }
  }

  #after(ms: number, run: () => void): void {
    this.#stopTimer();
    this.#timer = setTimeout(run, ms);
  }

  #stopTimer(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
