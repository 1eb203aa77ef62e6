import { type Clock, systemClock } from "@klieg/base";
import { type OfferedScreen, ScreenChoice, type ScreenOffer } from "@klieg/protocol";

/** The user took so long that the page has surely forgotten the question, ms. */
const PATIENCE_MS = 5 * 60_000;

export interface PickedScreen {
  readonly id: string;
  readonly audio: boolean;
}

export interface ScreenPickerOptions {
  /** Brings the offer to the page. @returns whether there is a page. */
  readonly send: (offer: ScreenOffer) => boolean;
  readonly clock?: Clock;
}

/** Lets the page ask its user which screen or window to capture. One question at a time: a new one takes the place of the old. */
export class ScreenPicker {
  readonly #options: ScreenPickerOptions;
  #offers = 0;
  #open: { readonly offer: ScreenOffer; settle(picked: PickedScreen | undefined): void } | undefined;

  constructor(options: ScreenPickerOptions) {
    this.#options = options;
  }

  /** @returns undefined where nothing was chosen: refused, no page, no answer. */
  async pick(screens: readonly OfferedScreen[], audio: boolean): Promise<PickedScreen | undefined> {
    this.cancel();
    if (screens.length === 0) return undefined;
    this.#offers += 1;
    const offer: ScreenOffer = { offer: this.#offers, screens, audio };
    const { promise, resolve } = Promise.withResolvers<PickedScreen | undefined>();
    using _patience = (this.#options.clock ?? systemClock).after(PATIENCE_MS, () => resolve(undefined));
    this.#open = { offer, settle: resolve };
    if (!this.#options.send(offer)) resolve(undefined);
    const picked = await promise;
    if (this.#open?.offer === offer) this.#open = undefined;
    return picked;
  }

  /** What the page answered, unchecked: only what was offered can be chosen, and only once. */
  answer(message: unknown): void {
    const choice = ScreenChoice.safeParse(message);
    const open = this.#open;
    if (!choice.success || open === undefined || choice.data.offer !== open.offer.offer) return;
    const { screen, audio } = choice.data;
    const known = open.offer.screens.some(({ id }) => id === screen);
    open.settle(screen !== null && known ? { id: screen, audio: audio && open.offer.audio } : undefined);
  }

  /** The page is gone, or somebody else asks. */
  cancel(): void {
    this.#open?.settle(undefined);
  }
}
