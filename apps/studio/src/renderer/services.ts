import { createContext, useContext } from "react";
import { useStore } from "zustand";
import type { CommandRegistry } from "./commands/command-registry.ts";
import type { GuestRoom } from "./guests/guest-room.ts";
import type { HealthMonitor } from "./health/health-monitor.ts";
import type { StudioLink } from "./link/studio-link.ts";
import type { AudioMixer } from "./media/mixer/mixer-contract.ts";
import type { StudioMedia } from "./media/studio-media.ts";
import type { Toasts } from "./shell/toasts.ts";
import type { StageStore } from "./stage/stage-store.ts";
import type { DialogStore } from "./state/dialogs.ts";
import type { EngineStore } from "./state/engine-store.ts";
import type { ShowState, ShowStore } from "./state/show-store.ts";
import type { Theme } from "./theme/theme.ts";

/** What the whole interface shares. */
export interface Services {
  readonly link: StudioLink;
  /** Address of a file that the engine keeps. */
  readonly assetUrl: (id: string) => string;
  readonly show: ShowStore;
  readonly stage: StageStore;
  readonly media: StudioMedia;
  readonly mixer: AudioMixer;
  readonly commands: CommandRegistry;
  readonly toasts: Toasts;
  readonly theme: Theme;
  /** What the engine tells of itself. */
  readonly engine: EngineStore;
  readonly health: HealthMonitor;
  /** The room that guests come to. */
  readonly guests: GuestRoom;
  /** Which dialog of the broadcast's is open. */
  readonly dialogs: DialogStore;
}

export const ServicesContext = createContext<Services | undefined>(undefined);

/** The services of the page; a component that calls this is only rendered once there are some. */
export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (services === undefined) throw new Error("a component of the studio is outside of its services");
  return services;
}

/** A part of the open show; the component is rendered again when that part changes. */
export function useShow<Part>(part: (state: ShowState) => Part): Part {
  return useStore(useServices().show.state, part);
}
