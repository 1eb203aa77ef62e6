import { type Clock, systemClock } from "@klieg/base";
import type { StudioAnswerOf, StudioAsset, StudioEvent, StudioRequestInput, StudioRequestType } from "@klieg/protocol";
import { createStore, type StoreApi } from "zustand/vanilla";
import { previewScene, takeScene } from "../../document/edit.ts";
import { History } from "../../document/history.ts";
import type { RecordId } from "../../document/identity.ts";
import { newDocument, StudioDocument } from "../../document/studio-document.ts";
import { strings } from "../strings.ts";

/** What the store needs of the link to the engine (`StudioLink` is one). */
export interface ShowLink {
  request<T extends StudioRequestType>(type: T, input: StudioRequestInput<T>): Promise<StudioAnswerOf<T>>;
  onEvent(listener: (event: StudioEvent) => void): Disposable;
}

export interface ShowState {
  /** `failed`: nothing could be opened, `problem` says why. */
  readonly phase: "opening" | "open" | "failed";
  /** In words: why the saved show could not be used, or nothing could be opened. */
  readonly problem: string | undefined;
  readonly document: StudioDocument;
  /** What undo and redo would do; undefined where there is nothing. */
  readonly undoLabel: string | undefined;
  readonly redoLabel: string | undefined;
  /** Whether the engine has the document as it is; `failed` is tried again. */
  readonly saved: "saved" | "saving" | "unsaved" | "failed";
  /** Why the last attempt to save failed. */
  readonly saveProblem: string | undefined;
  readonly assets: readonly StudioAsset[];
}

/** ms from the last change until it is saved; a drag is saved once it rests. */
const SAVE_AFTER = 400;
/** ms until saving is tried again. */
const SAVE_AGAIN_AFTER = 3000;

/** The show that is open: its document with undo and redo, saved by the engine as it changes. */
export class ShowStore implements Disposable {
  readonly state: StoreApi<ShowState>;
  readonly #link: ShowLink;
  readonly #clock: Clock;
  readonly #history: History<StudioDocument>;
  readonly #subscription: Disposable;
  #timer: Disposable | undefined;
  /** The document that the engine has, or is being sent. */
  #sent: StudioDocument | undefined;
  #saving = false;
  #closed = false;

  constructor(link: ShowLink, clock: Clock = systemClock) {
    this.#link = link;
    this.#clock = clock;
    const document = newDocument(strings.scenes.firstName);
    this.#history = new History(document);
    this.state = createStore<ShowState>(() => ({
      phase: "opening",
      problem: undefined,
      document,
      undoLabel: undefined,
      redoLabel: undefined,
      saved: "saved",
      saveProblem: undefined,
      assets: [],
    }));
    this.#subscription = link.onEvent((event) => {
      if (event.event === "show") this.#changedElsewhere(event.document);
    });
  }

  get document(): StudioDocument {
    return this.state.getState().document;
  }

  /** Reads the show that the engine keeps. Where that fails, `phase` and `problem` say so. */
  async open(): Promise<void> {
    this.state.setState({ phase: "opening", problem: undefined });
    try {
      const { document, problem, assets } = await this.#link.request("open_show", {});
      if (this.#closed) return;
      const parsed = StudioDocument.safeParse(document);
      if (!parsed.success) {
        this.state.setState({ phase: "failed", problem: strings.show.unreadable });
        return;
      }
      this.#history.reset(parsed.data);
      this.#sent = parsed.data;
      this.#publish(parsed.data, { phase: "open", problem: problem ?? undefined, assets, saved: "saved" });
    } catch (error) {
      if (!this.#closed) this.state.setState({ phase: "failed", problem: wordsOf(error) });
    }
  }

  /** The engine is there again: it is sent what was changed meanwhile, or asked what others changed. */
  async reconnected(): Promise<void> {
    if (this.state.getState().phase !== "open") return this.open();
    if (this.document !== this.#sent) return this.saveNow();
    try {
      const { document, assets } = await this.#link.request("open_show", {});
      if (this.#closed) return;
      this.state.setState({ assets });
      this.#changedElsewhere(document);
    } catch (error) {
      // It is gone again: the next time that it comes back, this is asked anew.
      this.state.setState({ saveProblem: wordsOf(error) });
    }
  }

  /** Goes on without the saved show, in a new one. */
  startAnew(): void {
    const document = newDocument(strings.scenes.firstName);
    this.#history.reset(document);
    this.#publish(document, { phase: "open", problem: undefined });
    this.#plan();
  }

  /** The problem was read. */
  dismissProblem(): void {
    this.state.setState({ problem: undefined });
  }

  /**
   * Changes the document as one step that can be undone.
   * @param label what was done, as the undo menu says it.
   * @param gesture changes with the same one are one step, until {@link endGesture}.
   * @throws {EditError} where the edit asks for what is not there.
   */
  change(label: string, edit: (document: StudioDocument) => StudioDocument, gesture?: string): void {
    const before = this.document;
    const after = edit(before);
    if (after === before) return;
    this.#history.change(after, label, gesture);
    this.#changed(after);
  }

  /** The next change is a step of its own: the mouse button was let go. */
  endGesture(): void {
    this.#history.endGesture();
  }

  /** Takes back what {@link change} did since the gesture began; only where it did anything. Escape was pressed. */
  cancelGesture(): void {
    if (!this.#history.undo()) return;
    this.#changed(this.#withOnAir(this.#history.value) ?? this.document);
  }

  /** @returns `on_air` where it would take away the scene that is on air. */
  undo(): "done" | "nothing" | "on_air" {
    return this.#step(
      () => this.#history.undo(),
      () => this.#history.redo(),
    );
  }

  redo(): "done" | "nothing" | "on_air" {
    return this.#step(
      () => this.#history.redo(),
      () => this.#history.undo(),
    );
  }

  /** Makes a scene the one that is worked on. No step of undo: undoing an edit never changes what is on air. */
  preview(scene: RecordId): void {
    this.#switch(previewScene(this.document, scene));
  }

  /**
   * Puts the previewed scene on air.
   * @param swap whether what was on air is previewed next; otherwise the scene on air goes on being worked on.
   */
  take(swap: boolean): void {
    const taken = takeScene(this.document);
    this.#switch(swap ? taken : previewScene(taken, taken.program));
  }

  /** Puts a scene on air, and works on it. */
  air(scene: RecordId): void {
    const taken = takeScene(previewScene(this.document, scene));
    this.#switch(previewScene(taken, taken.program));
  }

  /** A file that the engine took in; it is listed until it is removed there. */
  addAsset(asset: StudioAsset): void {
    const { assets } = this.state.getState();
    this.state.setState({ assets: [...assets.filter(({ id }) => id !== asset.id), asset] });
  }

  /** Saves at once what is not saved yet: the page is about to go. */
  saveNow(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    void this.#save();
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#subscription[Symbol.dispose]();
  }

  #step(move: () => boolean, back: () => boolean): "done" | "nothing" | "on_air" {
    if (!move()) return "nothing";
    const document = this.#withOnAir(this.#history.value);
    if (document === undefined) {
      back();
      return "on_air";
    }
    this.#changed(document);
    return "done";
  }

  /** A document of the history with the scenes that are on air and previewed now; undefined where the former is not in it. */
  #withOnAir(document: StudioDocument): StudioDocument | undefined {
    const { program, preview } = this.document;
    const has = (id: RecordId) => document.scenes.some((scene) => scene.id === id);
    if (!has(program)) return undefined;
    if (document.program === program && document.preview === preview) return document;
    return { ...document, program, preview: has(preview) ? preview : program };
  }

  #switch(document: StudioDocument): void {
    if (document !== this.document) this.#changed(document);
  }

  #changed(document: StudioDocument): void {
    this.#publish(document, { saved: this.#saving ? "saving" : "unsaved" });
    this.#plan();
  }

  #publish(document: StudioDocument, rest: Partial<ShowState>): void {
    this.state.setState({
      document,
      undoLabel: this.#history.undoLabel,
      redoLabel: this.#history.redoLabel,
      ...rest,
    });
  }

  #changedElsewhere(value: Record<string, unknown>): void {
    const parsed = StudioDocument.safeParse(value);
    // The engine checks documents before it tells of them; one that is newer than this page cannot be shown by it.
    if (!parsed.success) {
      this.state.setState({ problem: strings.show.unreadable });
      return;
    }
    const document = parsed.data;
    // What is changed here and not sent yet wins: it is about to be sent.
    if (this.#timer !== undefined || this.#saving || same(document, this.document)) return;
    const onlySwitched = same(
      { ...document, program: "", preview: "" },
      { ...this.document, program: "", preview: "" },
    );
    if (!onlySwitched) this.#history.change(document, strings.show.changedElsewhere);
    this.#sent = document;
    this.#publish(document, { saved: "saved" });
  }

  #plan(after = SAVE_AFTER): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = this.#clock.after(after, () => {
      this.#timer = undefined;
      void this.#save();
    });
  }

  async #save(): Promise<void> {
    const { document, phase } = this.state.getState();
    if (this.#saving || this.#closed || phase !== "open" || document === this.#sent) return;
    this.#saving = true;
    this.state.setState({ saved: "saving" });
    try {
      await this.#link.request("save_show", { document });
      this.#sent = document;
      const changedSince = this.document !== document;
      this.state.setState({ saved: changedSince ? "unsaved" : "saved", saveProblem: undefined });
      if (changedSince && !this.#closed) this.#plan();
    } catch (error) {
      this.state.setState({ saved: "failed", saveProblem: wordsOf(error) });
      if (!this.#closed) this.#plan(SAVE_AGAIN_AFTER);
    } finally {
      this.#saving = false;
    }
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether two documents say the same, in whatever order: whoever parses one writes its fields in an order of their own. */
function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one, ordered) === JSON.stringify(other, ordered);
}

function ordered(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
