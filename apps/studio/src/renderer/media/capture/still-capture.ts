import type { CaptureOutlet, SourceCapture, SourceOf } from "./source-capture.ts";
import { textPicture } from "./text-picture.ts";

type StillSource = SourceOf<"image"> | SourceOf<"text">;

/** Pictures are made smaller to this on their longer side, pixels: no canvas here is larger. */
const LONGEST_SIDE = 7680;

/** An image file or a text: one picture, until it is edited. */
export class StillCapture implements SourceCapture {
  readonly #outlet: CaptureOutlet;
  readonly #assetUrl: (path: string) => string;
  #source: StillSource;
  #making: AbortController | undefined;

  constructor(source: StillSource, outlet: CaptureOutlet, assetUrl: (path: string) => string) {
    this.#source = source;
    this.#outlet = outlet;
    this.#assetUrl = assetUrl;
    this.retry();
  }

  update(source: StillSource): void {
    const before = this.#source;
    this.#source = source;
    if (JSON.stringify({ ...before, name: "", filters: [] }) !== JSON.stringify({ ...source, name: "", filters: [] })) {
      this.retry();
    }
  }

  retry(): void {
    this.#making?.abort();
    const making = new AbortController();
    this.#making = making;
    void this.#make(this.#source, making.signal);
  }

  [Symbol.dispose](): void {
    this.#making?.abort();
  }

  async #make(source: StillSource, signal: AbortSignal): Promise<void> {
    try {
      const still = source.kind === "text" ? await textPicture(source) : await this.#load(source.path, signal);
      if (signal.aborted) {
        still.close();
        return;
      }
      const size = { width: still.width, height: still.height };
      this.#outlet.picture({ kind: "still", still, placeholder: false });
      this.#outlet.report({ state: "live", size });
    } catch (error) {
      if (signal.aborted) return;
      const missing = error instanceof DOMException && error.name === "NotFoundError";
      const detail = error instanceof Error ? error.message : String(error);
      this.#outlet.report({ state: "failed", problem: { kind: missing ? "missing_file" : "unreadable_file", detail } });
    }
  }

  async #load(path: string, signal: AbortSignal): Promise<ImageBitmap> {
    this.#outlet.report({ state: "opening" });
    const response = await fetch(this.#assetUrl(path), { signal });
    if (!response.ok) throw new DOMException(`${response.status} ${response.statusText}`, "NotFoundError");
    const blob = await response.blob();
    if (blob.type.startsWith("image/svg")) return await drawing(blob);
    const whole = await createImageBitmap(blob);
    const side = Math.max(whole.width, whole.height);
    if (side <= LONGEST_SIDE) return whole;
    const scale = LONGEST_SIDE / side;
    try {
      return await createImageBitmap(whole, {
        resizeWidth: Math.max(1, Math.round(whole.width * scale)),
        resizeHeight: Math.max(1, Math.round(whole.height * scale)),
        resizeQuality: "high",
      });
    } finally {
      whole.close();
    }
  }
}

/** A drawing (SVG) has to be an element to become a picture. */
async function drawing(blob: Blob): Promise<ImageBitmap> {
  const url = URL.createObjectURL(blob);
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    return await createImageBitmap(image);
  } finally {
    URL.revokeObjectURL(url);
  }
}
