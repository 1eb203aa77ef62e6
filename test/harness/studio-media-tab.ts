import type { Browser, Page } from "playwright-core";
import { ModuleTab, type ServedFile } from "./module-tab.ts";
import type { StudioMediaPage } from "./studio-media-page.ts";

/** What the browser is started with: a graphics card made of software, devices that are made up, and leave to use them. */
export const MEDIA_ARGS: readonly string[] = [
  "--enable-unsafe-swiftshader",
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
];

/** The studio's media in a page of Chromium, without interface and engine. Its functions are `studio` in the page. */
export class StudioMediaTab implements AsyncDisposable {
  readonly #tab: ModuleTab<StudioMediaPage>;

  private constructor(tab: ModuleTab<StudioMediaPage>) {
    this.#tab = tab;
  }

  /**
   * @param assets files of the show, by path.
   * @param args what the browser is started with instead of {@link MEDIA_ARGS}.
   * @param camera a Y4M or MJPEG file that the browser's only camera shows; its own test picture without.
   */
  static async open(
    options: { assets?: Readonly<Record<string, ServedFile>>; camera?: string; args?: readonly string[] } = {},
  ): Promise<StudioMediaTab> {
    const { assets = {}, camera, args = MEDIA_ARGS } = options;
    const files = new Map(Object.entries(assets).map(([path, file]) => [`/assets/${path}`, file]));
    const camerasFile = camera === undefined ? [] : [`--use-file-for-fake-video-capture=${camera}`];
    return new StudioMediaTab(await ModuleTab.open("studio-media-page.ts", { files, args: [...args, ...camerasFile] }));
  }

  get page(): Page {
    return this.#tab.page;
  }

  get browser(): Browser {
    return this.#tab.browser;
  }

  /** What the page complained of. */
  get complaints(): string[] {
    return this.#tab.complaints;
  }

  /** Calls into the page. */
  run<Result>(body: (studio: StudioMediaPage) => Result | Promise<Result>): Promise<Result>;
  run<Input, Result>(
    body: (studio: StudioMediaPage, input: Input) => Result | Promise<Result>,
    input: Input,
  ): Promise<Result>;
  run<Result>(
    body: (studio: StudioMediaPage, input: never) => Result | Promise<Result>,
    input?: unknown,
  ): Promise<Result> {
    return this.page.evaluate(
      ([text, value]) => {
        const studio = (globalThis as unknown as { studio: StudioMediaPage }).studio;
        // biome-ignore lint/security/noGlobalEval: a test's own function, which has to run in the page
        return globalThis.eval(`(${text})`)(studio, value) as Promise<Result>;
      },
      [body.toString(), input] as const,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tab[Symbol.asyncDispose]();
  }
}
