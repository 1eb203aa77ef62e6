import type { AudioMixer } from "../media/mixer/mixer-contract.ts";
import type { EngineLink, EngineStore } from "../state/engine-store.ts";
import type { ShowStore } from "../state/show-store.ts";
import { EngineRoomWire } from "./engine-room-wire.ts";
import { followEngine } from "./follow-engine.ts";
import { GuestRoom, type GuestRoomOptions } from "./guest-room.ts";
import { GuestSound } from "./guest-sound.ts";
import { monitoredSeats } from "./monitored-seats.ts";
import { SoundMerge } from "./sound-merge.ts";

/** Makes the room's part of the page, and joins it to the engine, the show and what the operator hears. It lives as long as the page. */
export function createGuests(parts: {
  readonly link: EngineLink;
  readonly engine: EngineStore;
  readonly show: ShowStore;
  readonly captures: GuestRoomOptions["captures"];
  readonly mixer: Pick<AudioMixer, "mixMinusTrack">;
}): GuestRoom {
  const { link, engine, show, captures, mixer } = parts;
  const sound = new GuestSound();
  const guests = new GuestRoom({
    openWire: () => new EngineRoomWire(link),
    captures,
    mixer,
    sound,
    soundMerge: new SoundMerge(),
    devices: navigator.mediaDevices,
    showMicrophone: () => {
      const microphone = show.document.sources.find((source) => source.kind === "microphone");
      return microphone?.kind === "microphone" ? microphone.device.id : "";
    },
    memory: localStorage,
  });
  const follow = () => guests.setMonitored(monitoredSeats(show.document));
  show.state.subscribe(follow);
  follow();
  engine.state.subscribe(({ settings }, before) => {
    if (settings === undefined || settings.monitor_device === before.settings?.monitor_device) return;
    void sound.use(settings.monitor_device);
  });
  followEngine(engine, guests);
  link.onState(({ state }) => {
    // By the engine the room is reached again.
    if (state === "open") guests.rejoinNow();
    // Another page has the stage, and the place in the room with it.
    else if (state === "ended") guests.leave();
  });
  addEventListener("online", () => guests.rejoinNow());
  return guests;
}
