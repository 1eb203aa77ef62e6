import { createContext, useContext, useSyncExternalStore } from "react";
import type { CommandRegistry } from "./commands/command-registry.ts";
import type { Toasts } from "./shell/toasts.ts";
import type { StageMedia } from "./stage/stage-media.ts";
import type { StageStore } from "./stage/stage-store.ts";
import type { ShowLink, ShowState, ShowStore } from "./state/show-store.ts";

/** What the whole interface shares. */
export interface Services {
  readonly link: ShowLink;
  readonly show: ShowStore;
  readonly stage: StageStore;
  readonly media: StageMedia;
  readonly commands: CommandRegistry;
  readonly toasts: Toasts;
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
  const { state } = useServices().show;
  return useSyncExternalStore(state.subscribe, () => part(state.getState()));
}
