import type { Page } from "playwright-core";

export interface ScreenArea {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Looks at part of what a page has on the screen, again and again while `work` goes on: what is really shown, whichever element shows
 * it. @returns the mean brightness (0 to 255) of every look, and what the work came to.
 */
export async function brightnessWhile<T>(
  page: Page,
  area: ScreenArea,
  work: Promise<T>,
): Promise<{ readonly brightness: number[]; readonly result: T }> {
  let done = false;
  const finished = work.finally(() => {
    done = true;
  });
  const looks: string[] = [];
  while (!done) {
    looks.push((await page.screenshot({ type: "jpeg", quality: 40, clip: { ...area } })).toString("base64"));
  }
  const result = await finished;
  const eyes = await page.context().newPage();
  try {
    return { brightness: await eyes.evaluate(meanBrightness, looks), result };
  } finally {
    await eyes.close();
  }
}

/** Runs in a page of its own. */
async function meanBrightness(looks: readonly string[]): Promise<number[]> {
  const canvas = new OffscreenCanvas(32, 18);
  const context = canvas.getContext("2d", { willReadFrequently: true }) as OffscreenCanvasRenderingContext2D;
  const means: number[] = [];
  for (const look of looks) {
    const bytes = Uint8Array.from(atob(look), (character) => character.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    image.close();
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    let sum = 0;
    for (let at = 0; at < data.length; at += 4) {
      sum += (data[at] ?? 0) * 0.2126 + (data[at + 1] ?? 0) * 0.7152 + (data[at + 2] ?? 0) * 0.0722;
    }
    means.push(sum / (data.length / 4));
  }
  return means;
}
