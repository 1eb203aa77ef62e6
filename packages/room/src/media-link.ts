import type { RoomEvent, RoomProducer, RoomRequestInput, RoomSource } from "@klieg/protocol";
import { Device, type types } from "mediasoup-client";
import { ApiError } from "./api-error.ts";
import { sendingOf } from "./encodings.ts";
import { MediaWay } from "./media-way.ts";
import type { OpenRoomMedia, ReceptionWish, RoomMedia, RoomMediaOptions } from "./room-media.ts";

interface Sent {
  readonly producer: types.Producer;
  paused: boolean;
}

interface Wanted {
  readonly track: MediaStreamTrack;
  readonly paused: boolean;
}

interface Taken {
  readonly producer: RoomProducer;
  consumer: types.Consumer;
  layered: boolean;
  /** What the server was told. */
  told: ReceptionWish | null;
  wish: ReceptionWish | null;
}

/** Browsers tell of changed networks here, where they do. */
interface NavigatorWithConnection extends Navigator {
  readonly connection?: EventTarget;
}

/** Loads what WebRTC needs and says what this browser can. */
export const openMediaLink: OpenRoomMedia = async (options) => {
  let device: Device;
  try {
    device = await Device.factory();
  } catch (cause) {
    throw new ApiError("unsupported", "This browser cannot take part in rooms.", false, { cause });
  }
  await device.load({ routerRtpCapabilities: options.joined.router_rtp_capabilities as types.RtpCapabilities });
  return new MediaLink(device, options);
};

/** The way of media by mediasoup: one transport for what is sent, one for what is received. */
class MediaLink implements RoomMedia {
  readonly #options: RoomMediaOptions;
  readonly #device: Device;
  readonly #send: MediaWay;
  readonly #receive: MediaWay;
  readonly #wanted = new Map<RoomSource, Wanted>();
  readonly #sent = new Map<RoomSource, Sent>();
  readonly #taken = new Map<string, Taken>();
  readonly #listeners = new AbortController();
  readonly #ill = new Set<MediaWay>();
  #closed = false;

  constructor(device: Device, options: RoomMediaOptions) {
    this.#device = device;
    this.#options = options;
    this.#send = this.#way("send", () => this.#sendAgain());
    this.#receive = this.#way("recv", () => this.#receiveAgain());
    const changed = () => {
      this.#send.restart();
      this.#receive.restart();
    };
    const { signal } = this.#listeners;
    addEventListener("online", changed, { signal });
    (navigator as NavigatorWithConnection).connection?.addEventListener("change", changed, { signal });
  }

  async publish(source: RoomSource, track: MediaStreamTrack, paused: boolean): Promise<void> {
    this.#wanted.set(source, { track, paused });
    const sent = this.#sent.get(source);
    if (!sent || sent.producer.closed) {
      await this.#produce(source, track, paused);
      return;
    }
    if (sent.producer.track !== track) await sent.producer.replaceTrack({ track });
    if (sent.paused === paused) return;
    sent.paused = paused;
    const request = { producer_id: sent.producer.id };
    if (paused) {
      sent.producer.pause();
      await this.#options.ask("pause_producer", request);
    } else {
      await this.#options.ask("resume_producer", request);
      sent.producer.resume();
    }
  }

  async unpublish(source: RoomSource): Promise<void> {
    this.#wanted.delete(source);
    const sent = this.#sent.get(source);
    this.#sent.delete(source);
    if (!sent || sent.producer.closed) return;
    sent.producer.close();
    this.#options.onUnsent(sent.producer.id);
    await this.#options.ask("close_producer", { producer_id: sent.producer.id });
  }

  async receive(producer: RoomProducer): Promise<MediaStreamTrack> {
    const { consumer, layered } = await this.#consume(producer);
    this.#taken.set(producer.id, { producer, consumer, layered, told: null, wish: null });
    return consumer.track;
  }

  async wish(producerId: string, wish: ReceptionWish): Promise<void> {
    const taken = this.#taken.get(producerId);
    if (!taken) return;
    taken.wish = wish;
    await this.#tell(taken);
  }

  forget(producerId: string): void {
    const taken = this.#taken.get(producerId);
    this.#taken.delete(producerId);
    taken?.consumer.close();
  }

  handle(event: RoomEvent): void {
    switch (event.event) {
      case "consumer_score": {
        const taken = this.#takenBy(event.consumer_id);
        // What is paused here is not sent, and says nothing about the way.
        if (!taken || taken.told?.paused === true) return;
        this.#options.onScore(taken.producer.id, Math.min(event.score, event.producer_score));
        return;
      }
      case "transport_closed":
        for (const way of [this.#send, this.#receive]) if (way.id === event.transport_id) way.reopen();
        return;
      case "producer_removed":
        // One's own, taken away: what is sent goes nowhere.
        for (const [source, { producer }] of this.#sent) {
          if (producer.id !== event.producer_id) continue;
          producer.close();
          this.#sent.delete(source);
          this.#wanted.delete(source);
        }
        return;
      default:
        return;
    }
  }

  close(): void {
    this.#closed = true;
    this.#listeners.abort();
    this.#send.close();
    this.#receive.close();
    this.#sent.clear();
    this.#taken.clear();
    this.#wanted.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #way(direction: "send" | "recv", onReopened: () => void): MediaWay {
    const { ask, joined, onHealth, onBroken } = this.#options;
    const way: MediaWay = new MediaWay({
      direction,
      device: this.#device,
      ask,
      iceServers: joined.ice_servers as RTCIceServer[],
      onReopened,
      onHealth: (healthy) => {
        if (healthy) this.#ill.delete(way);
        else this.#ill.add(way);
        onHealth(this.#ill.size === 0);
      },
      onBroken,
    });
    return way;
  }

  async #produce(source: RoomSource, track: MediaStreamTrack, paused: boolean): Promise<void> {
    const transport = await this.#send.open();
    // One listener at a time: mediasoup-client makes producers one after the other, each with its own appData.
    if (transport.listenerCount("produce") === 0) {
      transport.on("produce", ({ rtpParameters, appData }, done, failed) => {
        const { source: of, paused: begin } = appData as { source: RoomSource; paused: boolean };
        this.#options
          .ask("produce", {
            transport_id: transport.id,
            source: of,
            rtp_parameters: rtpParameters as RoomRequestInput<"produce">["rtp_parameters"],
            paused: begin,
          })
          .then(({ producer }) => {
            this.#options.onSent(producer);
            done({ id: producer.id });
          }, failed);
      });
    }
    const producer = await transport.produce({
      track,
      streamId: streamOf(source),
      ...sendingOf(source, this.#device.sendRtpCapabilities.codecs ?? []),
      // The capture owns its tracks and switches them: they go on when the connection does not.
      stopTracks: false,
      disableTrackOnPause: false,
      appData: { source, paused },
    });
    if (paused) producer.pause();
    if (this.#closed) producer.close();
    else this.#sent.set(source, { producer, paused });
  }

  async #consume(producer: RoomProducer): Promise<{ consumer: types.Consumer; layered: boolean }> {
    const { ask } = this.#options;
    const transport = await this.#receive.open();
    const { consumer: told } = await ask("consume", { transport_id: transport.id, producer_id: producer.id });
    const consumer = await transport.consume({
      id: told.id,
      producerId: told.producer_id,
      kind: told.kind,
      rtpParameters: told.rtp_parameters as types.RtpParameters,
      // What belongs together is kept in step: lips and voice, a film and its sound.
      streamId: `${producer.participant_id}-${streamOf(producer.source)}`,
    });
    // A picture waits until it is in sight.
    if (producer.kind === "audio") await ask("resume_consumer", { consumer_id: consumer.id });
    return { consumer, layered: told.spatial_layers > 1 || told.temporal_layers > 1 };
  }

  async #tell(taken: Taken): Promise<void> {
    const { wish, told, consumer, layered } = taken;
    if (!wish || consumer.closed) return;
    taken.told = wish;
    const consumerId = { consumer_id: consumer.id };
    if (
      layered &&
      !wish.paused &&
      (wish.spatialLayer !== told?.spatialLayer || wish.priority !== told?.priority || told?.paused !== false)
    ) {
      await this.#options.ask("set_layers", {
        ...consumerId,
        spatial_layer: wish.spatialLayer,
        priority: wish.priority,
      });
    }
    if (wish.paused === (told?.paused ?? true)) return;
    if (wish.paused) this.#options.onScore(taken.producer.id, null);
    await this.#options.ask(wish.paused ? "pause_consumer" : "resume_consumer", consumerId);
  }

  #sendAgain(): void {
    this.#sent.clear();
    for (const [source, { track, paused }] of this.#wanted) {
      this.#produce(source, track, paused).catch((error: unknown) => this.#report(error));
    }
  }

  #receiveAgain(): void {
    for (const taken of this.#taken.values()) {
      this.#consume(taken.producer)
        .then(({ consumer, layered }) => {
          taken.consumer = consumer;
          taken.layered = layered;
          taken.told = null;
          this.#options.onTrack(taken.producer.id, consumer.track);
          return this.#tell(taken);
        })
        .catch((error: unknown) => this.#report(error));
    }
  }

  #takenBy(consumerId: string): Taken | null {
    for (const taken of this.#taken.values()) if (taken.consumer.id === consumerId) return taken;
    return null;
  }

  /** After a transport was made anew: whatever fails then is lost until the room is joined again. */
  #report(error: unknown): void {
    if (this.#closed) return;
    console.info("Klieg: media did not come back:", error);
    this.#options.onBroken();
  }
}

/** Sources that are kept in step go under one stream id. */
function streamOf(source: RoomSource): string {
  return source === "screen" || source === "screen_audio" ? "screen" : "camera";
}
