import type { ShownSize } from "./room-media.ts";

/** Sharper than this hardly anybody sees, and everybody pays for. */
const MOST_PIXELS_PER_PIXEL = 2;

/** Watches which pictures are on screen, and how large. A picture that is shown twice counts by its larger showing. */
export class Sight implements Disposable {
  readonly #tell: (id: string, size: ShownSize | null) => void;
  readonly #ids = new Map<Element, string>();
  readonly #visible = new Set<Element>();
  readonly #sizes: ResizeObserver;
  readonly #intersections: IntersectionObserver;

  constructor(tell: (id: string, size: ShownSize | null) => void) {
    this.#tell = tell;
    this.#sizes = new ResizeObserver((entries) => this.#review(entries.map(({ target }) => target)));
    this.#intersections = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) this.#visible.add(target);
        else this.#visible.delete(target);
      }
      this.#review(entries.map(({ target }) => target));
    });
  }

  /** @param id of what the element shows. @returns ends it. */
  watch(element: Element, id: string): () => void {
    this.#ids.set(element, id);
    this.#sizes.observe(element);
    this.#intersections.observe(element);
    return () => {
      this.#ids.delete(element);
      this.#visible.delete(element);
      this.#sizes.unobserve(element);
      this.#intersections.unobserve(element);
      this.#report(id);
    };
  }

  close(): void {
    this.#sizes.disconnect();
    this.#intersections.disconnect();
    this.#ids.clear();
    this.#visible.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #review(elements: readonly Element[]): void {
    for (const id of new Set(elements.map((element) => this.#ids.get(element)))) if (id !== undefined) this.#report(id);
  }

  #report(id: string): void {
    let largest: ShownSize | null = null;
    const scale = Math.min(MOST_PIXELS_PER_PIXEL, globalThis.devicePixelRatio || 1);
    for (const [element, shows] of this.#ids) {
      if (shows !== id || !this.#visible.has(element)) continue;
      const { clientWidth, clientHeight } = element;
      const size = { width: clientWidth * scale, height: clientHeight * scale };
      if (!largest || size.width * size.height > largest.width * largest.height) largest = size;
    }
    this.#tell(id, largest);
  }
}
