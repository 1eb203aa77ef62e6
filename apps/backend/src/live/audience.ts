import { randomBytes, timingSafeEqual } from "node:crypto";
import { type Clock, Emitter } from "@klieg/base";
import { type ChangeStream, KliegError, type Visibility } from "@klieg/protocol";
import type { AudienceRecord } from "../ports/repositories.ts";

/** How far ahead a broadcast may be scheduled, ms. */
export const MAX_SCHEDULE_MS = 14 * 24 * 3600 * 1000;
/** Wall clocks are set, and machines sleep: the time that is left is looked at again this often, ms. */
const LOOK_AGAIN_MS = 60_000;

/** What is told of a broadcast, and who may see it (ING5). */
export class Audience implements Disposable {
  /** `appeared`: it was hidden, and no longer is; `vanished`: the other way round. */
  readonly events = new Emitter<{ changed: { readonly appeared: boolean; readonly vanished: boolean } }>();
  /** Whether nobody may see it but its owner. A plain field, since every media request asks for it. */
  hidden: boolean;
  readonly previewToken: string;
  readonly #clock: Clock;
  #title: string;
  #category: string;
  #visibility: Visibility;
  #preview: boolean;
  /** Unix ms. */
  #publicAt: number | undefined;
  #shownAt: number | undefined;
  #timer: Disposable | undefined;

  /** @param record what it begins with; what is not there is public, and has the channel's title. */
  constructor(clock: Clock, record: Partial<AudienceRecord> = {}) {
    this.#clock = clock;
    this.previewToken = record.previewToken ?? randomBytes(18).toString("base64url");
    this.#title = record.title ?? "";
    this.#category = record.category ?? "";
    this.#visibility = record.visibility ?? "public";
    this.#preview = record.preview ?? false;
    this.#publicAt = record.publicAt ?? undefined;
    this.hidden = this.#isHidden();
    if (!this.hidden) this.#shownAt = clock.wall();
    this.#schedule();
  }

  /** Empty: the channel's. */
  get title(): string {
    return this.#title;
  }

  /** Empty: none. */
  get category(): string {
    return this.#category;
  }

  get visibility(): Visibility {
    return this.#visibility;
  }

  get preview(): boolean {
    return this.#preview;
  }

  /** When the preview ends by itself, Unix ms. */
  get publicAt(): number | undefined {
    return this.#publicAt;
  }

  /** Since when others than its owner may see it, Unix ms; undefined while they may not. */
  get shownAt(): number | undefined {
    return this.#shownAt;
  }

  /** What is remembered of it. */
  get record(): AudienceRecord {
    return {
      title: this.#title,
      category: this.#category,
      visibility: this.#visibility,
      preview: this.#preview,
      publicAt: this.#publicAt ?? null,
      previewToken: this.previewToken,
    };
  }

  /** Whether who shows `previewToken`, or nothing, may see it. */
  admits(previewToken: string | undefined): boolean {
    if (!this.hidden) return true;
    const shown = Buffer.from(previewToken ?? "");
    const own = Buffer.from(this.previewToken);
    return shown.length === own.length && timingSafeEqual(shown, own);
  }

  /**
   * What is not named stays as it is. A time to come begins a preview, one that has passed ends it, and so does `preview: false`.
   * @throws {KliegError} `bad_request` where it is scheduled for too far ahead, or for later while it should be seen now.
   */
  change(change: ChangeStream): void {
    const { title, category, visibility, preview, public_at: at } = change;
    const wall = this.#clock.wall();
    const publicAt = typeof at === "string" ? Date.parse(at) : undefined;
    if (publicAt !== undefined && publicAt - wall > MAX_SCHEDULE_MS) {
      throw new KliegError("bad_request", "public_at: a broadcast can be scheduled up to two weeks ahead.");
    }
    if (publicAt !== undefined && publicAt > wall && preview === false) {
      throw new KliegError("bad_request", "public_at: what becomes public later is in preview until then.");
    }
    if (title !== undefined) this.#title = title;
    if (category !== undefined) this.#category = category;
    if (visibility !== undefined) this.#visibility = visibility;
    if (publicAt !== undefined) {
      this.#preview = publicAt > wall;
      this.#publicAt = publicAt > wall ? publicAt : undefined;
    } else {
      if (preview !== undefined) this.#preview = preview;
      if (at === null || !this.#preview) this.#publicAt = undefined;
    }
    this.#schedule();
    this.#settle();
  }

  /** Goes on as it is: what was scheduled no longer comes. */
  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  #isHidden(): boolean {
    return this.#preview || this.#visibility === "private";
  }

  #schedule(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    if (this.#publicAt === undefined) return;
    const left = Math.max(0, this.#publicAt - this.#clock.wall());
    this.#timer = this.#clock.after(Math.min(left, LOOK_AGAIN_MS), () => {
      if (this.#publicAt === undefined || this.#publicAt > this.#clock.wall()) {
        this.#schedule();
        return;
      }
      this.#publicAt = undefined;
      this.#preview = false;
      this.#settle();
    });
  }

  #settle(): void {
    const was = this.hidden;
    this.hidden = this.#isHidden();
    const appeared = was && !this.hidden;
    if (this.hidden) this.#shownAt = undefined;
    else this.#shownAt ??= this.#clock.wall();
    this.events.emit("changed", { appeared, vanished: !was && this.hidden });
  }
}
