import { createStore, type StoreApi } from "zustand/vanilla";

export const SETTINGS_PAGES = [
  "general",
  "destinations",
  "video",
  "audio",
  "recording",
  "keys",
  "appearance",
  "about",
] as const;
export type SettingsPage = (typeof SETTINGS_PAGES)[number];

/** Which dialog of the broadcast's interface is open: one at a time. */
export type OpenDialog =
  | { readonly name: "go_live" }
  | { readonly name: "end_stream" }
  | { readonly name: "details" }
  | { readonly name: "health" }
  | { readonly name: "recordings" }
  /** @param destination of the show that is opened at once, to be edited. */
  | { readonly name: "settings"; readonly page: SettingsPage; readonly destination?: string }
  | { readonly name: "audio_filters"; readonly source: string };

export interface DialogState {
  readonly open: OpenDialog | undefined;
  /** Address of a server that a link asks to be connected to, until somebody takes it up. */
  readonly server: string | undefined;
}

export type DialogStore = StoreApi<DialogState>;

export function createDialogStore(): DialogStore {
  return createStore<DialogState>(() => ({ open: undefined, server: undefined }));
}
