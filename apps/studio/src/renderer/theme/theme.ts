import type { StudioSettings } from "@klieg/protocol";

export type ThemeChoice = StudioSettings["theme"];

const DARK = "(prefers-color-scheme: dark)";
const KEY = "klieg.theme";

/** What the page is coloured in: the user's choice, or what the system says. */
export class Theme implements Disposable {
  readonly #root: HTMLElement;
  readonly #system: MediaQueryList;
  #choice: ThemeChoice;

  /** Begins with what was chosen last, so that the window does not flash in the other theme until the engine answers. */
  constructor(root: HTMLElement) {
    this.#root = root;
    this.#system = matchMedia(DARK);
    this.#system.addEventListener("change", this.#apply);
    const last = localStorage.getItem(KEY);
    this.#choice = last === "light" || last === "system" ? last : "dark";
    this.#apply();
  }

  get shown(): "dark" | "light" {
    if (this.#choice !== "system") return this.#choice;
    return this.#system.matches ? "dark" : "light";
  }

  choose(choice: ThemeChoice): void {
    this.#choice = choice;
    localStorage.setItem(KEY, choice);
    this.#apply();
  }

  [Symbol.dispose](): void {
    this.#system.removeEventListener("change", this.#apply);
  }

  readonly #apply = () => {
    this.#root.dataset.theme = this.shown;
  };
}
