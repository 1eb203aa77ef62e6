import type { StudioDesktop } from "@klieg/protocol";

/** What the desktop app gives its page; undefined in a browser. */
export function studioDesktop(): StudioDesktop | undefined {
  return (globalThis as { readonly kliegDesktop?: StudioDesktop }).kliegDesktop;
}
