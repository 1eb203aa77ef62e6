/**
 * A second video element beneath the session's own, for the moments in which that one changes hands: it shows what is received in
 * real time before the session's element has it, and after that one was given away, so that the picture never stops. A muted one
 * needs no leave of the autoplay policy.
 */
export class Bridge {
  readonly element: HTMLVideoElement;

  constructor(element: HTMLVideoElement) {
    this.element = element;
    element.muted = true;
    element.playsInline = true;
    element.disablePictureInPicture = true;
    element.ariaHidden = "true";
  }

  /** Begins to show `stream`. @returns when its first frame is there, or its first sound. Rejects with the signal's reason. */
  async show(stream: MediaStream, signal: AbortSignal): Promise<void> {
    const { element } = this;
    if (element.srcObject !== stream) element.srcObject = stream;
    const shown = new Promise<void>((resolve, reject) => {
      if (element.readyState >= HAVE_CURRENT_DATA) resolve();
      element.addEventListener("loadeddata", () => resolve(), { once: true, signal });
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
    signal.throwIfAborted();
    await Promise.all([shown, play(element)]);
  }

  /** Shows `stream` in place of `main`, with its sound where that one is heard. */
  standIn(stream: MediaStream, main: HTMLVideoElement): void {
    const { element } = this;
    element.srcObject = stream;
    element.volume = main.volume;
    element.muted = main.muted || main.paused;
    // Where the policy does not let it be heard, it goes on without sound.
    void play(element).then(() => {
      if (!element.paused || element.srcObject === null) return;
      element.muted = true;
      return play(element);
    });
  }

  clear(): void {
    this.element.pause();
    this.element.srcObject = null;
    this.element.muted = true;
  }
}

/** `HTMLMediaElement.HAVE_CURRENT_DATA` */
const HAVE_CURRENT_DATA = 2;

async function play(element: HTMLVideoElement): Promise<void> {
  try {
    await element.play();
  } catch (error) {
    // Given something else meanwhile, or not allowed to play: its frames come all the same, or do not.
    if (!(error instanceof DOMException)) throw error;
  }
}
