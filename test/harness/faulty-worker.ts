import type { BrowserContext, Page, Worker } from "playwright-core";
import { until } from "./until.ts";

/** What a test can have go wrong in the studio's compositor; the browser's own, but for what it answers then. */
interface Faults {
  /** Takes the graphics card away from the compositor, and gives it back (WEBGL_lose_context). */
  loseCard(): void;
  giveCardBack(): void;
  /** Ends the encoder that works, as a driver that dies does. */
  failEncoder(): void;
}

/** What the worker's script is preceded by. */
function prelude({ hardware, h264 }: { hardware: boolean; h264: boolean }): string {
  return `{
  let card, encoder, answers;
  const getContext = OffscreenCanvas.prototype.getContext;
  OffscreenCanvas.prototype.getContext = function (kind, ...rest) {
    const context = getContext.call(this, kind, ...rest);
    if (kind === "webgl2" && this.width === 16) card = context.getExtension("WEBGL_lose_context");
    return context;
  };
  const Real = globalThis.VideoEncoder;
  // What is asked of hardware is done by the CPU: the answer is faked, the pictures are not.
  const here = (config) =>
    ${hardware} && config.hardwareAcceleration === "prefer-hardware"
      ? { ...config, hardwareAcceleration: "no-preference" }
      : config;
  globalThis.VideoEncoder = class extends Real {
    static isConfigSupported(config) {
      return ${h264} ? super.isConfigSupported(here(config)) : Promise.resolve({ supported: false, config });
    }
    constructor(init) {
      super(init);
      encoder = this;
      answers = init;
    }
    configure(config) {
      super.configure(here(config));
    }
  };
  globalThis.faults = {
    loseCard: () => card.loseContext(),
    giveCardBack: () => card.restoreContext(),
    failEncoder: () => {
      encoder.close();
      answers.error(new DOMException("the driver died", "OperationError"));
    },
  };
}
`;
}

/**
 * Has the compositor of pages that are opened from now on go wrong when it is told to.
 * @param hardware whether the browser says that it encodes by hardware. @param h264 whether it encodes H.264 at all.
 */
export async function makeFaulty(
  target: Page | BrowserContext,
  { hardware = false, h264 = true }: { hardware?: boolean; h264?: boolean } = {},
): Promise<void> {
  if (!h264) {
    const refuse = "VideoEncoder.isConfigSupported = async (config) => ({ supported: false, config })";
    await target.addInitScript(`if (globalThis.VideoEncoder !== undefined) ${refuse}`);
  }
  await target.route(/\/compositor-worker[^/]*\.js$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: prelude({ hardware, h264 }) + (await response.text()) });
  });
}

/** Has something go wrong in the compositor of a page that was made faulty. */
export async function fault(page: Page, name: keyof Faults): Promise<void> {
  const worker = await until<Worker>(() => page.workers().find((one) => one.url().includes("compositor-worker")), {
    what: "the compositor's worker",
  });
  await worker.evaluate((what) => (globalThis as unknown as { faults: Faults }).faults[what](), name);
}
