import { z } from "zod";

/**
 * What the desktop app gives its page beside the engine (STU9): things of the window system that a browser has its own ways
 * for. Everything else goes over the one contract of `studio-request.ts`.
 */

/** A screen or window that may be captured. */
export interface OfferedScreen {
  /** Only meaningful in the answer to this offer. */
  readonly id: string;
  readonly kind: "screen" | "window";
  readonly name: string;
  /** `data:` URL of a small picture of it; null where there is none. */
  readonly thumbnail: string | null;
  /** `data:` URL of the icon of the program that owns the window; null where there is none. */
  readonly icon: string | null;
}

/** `getDisplayMedia` was called: the page is to ask its user which of these. */
export interface ScreenOffer {
  readonly offer: number;
  readonly screens: readonly OfferedScreen[];
  /** Whether what the computer plays can be captured along with it. */
  readonly audio: boolean;
}

/** The page's answer. `screen` null: none, `getDisplayMedia` rejects with `NotAllowedError`. */
export const ScreenChoice = z.object({
  offer: z.int().nonnegative(),
  screen: z.string().max(200).nullable(),
  audio: z.boolean(),
});
export type ScreenChoice = z.infer<typeof ScreenChoice>;

/** `window.kliegDesktop` in the app; undefined in a browser. */
export interface StudioDesktop {
  /** As Node.js names it: `darwin`, `linux`, `win32`. */
  readonly platform: string;
  /** Asks for a new port to the engine: it arrives as a `message` event of the window, {@link ENGINE_PORT_MESSAGE}, with one port. */
  connect(): void;
  /**
   * Who asks the user when a screen is to be captured; the last one set counts. Without one, capturing a screen is refused.
   * @param pick resolves with the choice; `screen` null for none.
   */
  onPickScreen(pick: (offer: ScreenOffer) => Promise<Omit<ScreenChoice, "offer">>): void;
  /** Lets the user choose a folder. @returns its absolute path; null where the user closed the dialog. */
  chooseFolder(start: string): Promise<string | null>;
  /** Shows a recording where it is, in the system's file manager. */
  showInFolder(path: string): Promise<void>;
  /** Restarts into the update that is ready. Refused while on air or recording. @returns whether it is about to. */
  installUpdate(): Promise<boolean>;
  /** Whether the app starts when its user logs in; null where the system has no such thing. */
  opensAtLogin(): Promise<boolean | null>;
  setOpensAtLogin(open: boolean): Promise<void>;
}

/** `data` of the window message that carries the engine's port. */
export const ENGINE_PORT_MESSAGE = "klieg:engine-port";

/**
 * What goes over that port, both ways: strings are messages of the contract, byte arrays media, and a number is how many
 * bytes of media its sender has taken so far (the other end tells from it what still waits). From the engine only: an object
 * is its farewell.
 */
export interface EnginePortFarewell {
  readonly close: number;
  readonly reason: string;
}
