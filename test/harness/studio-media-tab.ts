import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { build } from "vite";
import { openChromium } from "./chromium.ts";
import type { StudioMediaPage } from "./studio-media-page.ts";

/** A file that the tab's pages can fetch. */
export interface ServedFile {
  readonly type: string;
  readonly bytes: Uint8Array;
}

let built: Promise<ReadonlyMap<string, ServedFile>> | undefined;

/** What the browser is started with: a graphics card made of software, devices that are made up, and leave to use them. */
export const MEDIA_ARGS: readonly string[] = [
  "--enable-unsafe-swiftshader",
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
];

/** The studio's media in a page of Chromium, without interface and engine. Its functions are `studio` in the page. */
export class StudioMediaTab implements AsyncDisposable {
  readonly page: Page;
  readonly browser: Browser;
  readonly #server: Server;
  /** What the page complained of. */
  readonly complaints: string[] = [];

  private constructor(page: Page, browser: Browser, server: Server) {
    this.page = page;
    this.browser = browser;
    this.#server = server;
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(message.text());
    });
  }

  /**
   * @param assets files of the show, by path.
   * @param args what the browser is started with instead of {@link MEDIA_ARGS}.
   * @param camera a Y4M or MJPEG file that the browser's only camera shows; its own test picture without.
   */
  static async open(
    options: { assets?: Readonly<Record<string, ServedFile>>; camera?: string; args?: readonly string[] } = {},
  ): Promise<StudioMediaTab> {
    built ??= buildPage();
    const files = await built;
    const server = createServer((request, response) => {
      const path = (request.url ?? "").split("?", 1)[0] ?? "";
      const file = path.startsWith("/assets/") ? options.assets?.[path.slice(8)] : undefined;
      const found = file ?? files.get(path);
      if (path === "/") {
        const page = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Media</title><body style="margin:0">';
        response.setHeader("content-type", "text/html").end(`${page}<script type="module" src="/page.js"></script>`);
      } else if (found !== undefined) response.setHeader("content-type", found.type).end(found.bytes);
      else response.writeHead(path === "/favicon.ico" ? 204 : 404).end();
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    const browser = await openChromium({
      args: [
        ...(options.args ?? MEDIA_ARGS),
        ...(options.camera === undefined ? [] : [`--use-file-for-fake-video-capture=${options.camera}`]),
      ],
    });
    const context = await browser.newContext();
    const tab = new StudioMediaTab(await context.newPage(), browser, server);
    try {
      await tab.page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      await tab.page.waitForFunction(() => "studio" in globalThis);
    } catch (error) {
      await tab[Symbol.asyncDispose]();
      throw new Error(`the page did not start: ${tab.complaints.join("; ")}`, { cause: error });
    }
    return tab;
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
    await this.browser.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function buildPage(): Promise<ReadonlyMap<string, ServedFile>> {
  const result = await build({
    configFile: false,
    logLevel: "error",
    base: "/",
    worker: { format: "es" },
    build: {
      write: false,
      minify: false,
      target: "esnext",
      rollupOptions: {
        input: fileURLToPath(new URL("studio-media-page.ts", import.meta.url)),
        output: { entryFileNames: "page.js" },
      },
    },
  });
  const files = new Map<string, ServedFile>();
  for (const { output } of [result].flat() as {
    output: { fileName: string; code?: string; source?: string | Uint8Array }[];
  }[]) {
    for (const file of output) {
      const bytes = file.code ?? file.source ?? "";
      const type = file.fileName.endsWith(".js") ? "text/javascript" : "application/octet-stream";
      files.set(`/${file.fileName}`, { type, bytes: typeof bytes === "string" ? Buffer.from(bytes) : bytes });
    }
  }
  return files;
}
