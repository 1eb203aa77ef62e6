import type { StudioDesktop } from "@klieg/protocol";

declare global {
  interface Window {
    /** There in the desktop app only. */
    readonly kliegDesktop?: StudioDesktop;
  }
}
