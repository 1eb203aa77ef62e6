import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { build } from "vite";
import { openChromium } from "./chromium.ts";

/** A file that a tab's page can fetch. */
export interface ServedFile {
  readonly type: string;
  readonly bytes: Uint8Array;
}

export interface ModuleTabOptions {
  /** The Content-Security-Policy that its page has. */
  readonly policy?: string;
  /** Of its address, with which the module can be told what to do first. */
  readonly hash?: string;
  /** What the browser is started with. */
  readonly args?: readonly string[];
  /** What the page can fetch beside itself, by path. */
  readonly files?: ReadonlyMap<string, ServedFile>;
}

const built = new Map<string, Promise<ReadonlyMap<string, ServedFile>>>();

/** A module of this folder, built by Vite, alone in a page of Chromium. What it exports as `page` is called from tests. */
export class ModuleTab<Exports> implements AsyncDisposable {
  readonly page: Page;
  readonly browser: Browser;
  /** What the page complained of. */
  readonly complaints: string[] = [];
  readonly #server: Server;

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
   * @param module a file of this folder that sets `globalThis.tested`, then logs "ready". Nothing is called in the page before,
   *   since what a test calls counts as a gesture of the user.
   */
  static async open<Exports>(module: string, options: ModuleTabOptions = {}): Promise<ModuleTab<Exports>> {
    let building = built.get(module);
    if (building === undefined) {
      building = buildModule(module);
      built.set(module, building);
    }
    const files = await building;
    const server = createServer((request, response) => {
      const path = (request.url ?? "").split("?", 1)[0] ?? "";
      const file = options.files?.get(path) ?? files.get(path);
      if (options.policy !== undefined) response.setHeader("content-security-policy", options.policy);
      if (path === "/") {
        const page = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Test</title><body style="margin:0">';
        response.setHeader("content-type", "text/html").end(`${page}<script type="module" src="/page.js"></script>`);
      } else if (file !== undefined) response.setHeader("content-type", file.type).end(file.bytes);
      else response.writeHead(path === "/favicon.ico" ? 204 : 404).end();
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    const browser = await openChromium({ args: options.args ?? [] });
    const tab = new ModuleTab<Exports>(await browser.newPage(), browser, server);
    try {
      const ready = tab.page.waitForEvent("console", (message) => message.text() === "ready");
      const { port } = server.address() as AddressInfo;
      await Promise.all([ready, tab.page.goto(`http://127.0.0.1:${port}/${options.hash ?? ""}`)]);
    } catch (error) {
      await tab[Symbol.asyncDispose]();
      throw new Error(`the page did not start: ${tab.complaints.join("; ")}`, { cause: error });
    }
    return tab;
  }

  /** Calls a function of the module, with what can be sent as JSON. */
  call<Name extends keyof Exports & string>(
    name: Name,
    ...input: Exports[Name] extends (...input: infer Input) => unknown ? Input : never
  ): Promise<Exports[Name] extends (...input: never[]) => infer Result ? Awaited<Result> : never> {
    return this.page.evaluate(
      ([name, input]) => {
        const { tested } = globalThis as unknown as { tested: Record<string, (...input: unknown[]) => unknown> };
        return tested[name as string]?.(...(input as unknown[])) as never;
      },
      [name, input] as const,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function buildModule(module: string): Promise<ReadonlyMap<string, ServedFile>> {
  const result = await build({
    configFile: false,
    logLevel: "error",
    base: "/",
    worker: { format: "es" },
    build: {
      write: false,
      minify: false,
      target: "esnext",
      // As the studio's own build: its policy allows no data: addresses.
      assetsInlineLimit: 0,
      rollupOptions: {
        input: fileURLToPath(new URL(module, import.meta.url)),
        output: { entryFileNames: "page.js" },
      },
    },
  });
  const files = new Map<string, ServedFile>();
  for (const { output } of [result].flat() as {
    output: { fileName: string; code?: string; source?: string | Uint8Array }[];
  }[]) {
    for (const { fileName, code, source } of output) {
      const bytes = code ?? source ?? "";
      const type = fileName.endsWith(".js") ? "text/javascript" : "application/octet-stream";
      files.set(`/${fileName}`, { type, bytes: typeof bytes === "string" ? Buffer.from(bytes) : bytes });
    }
  }
  return files;
}
