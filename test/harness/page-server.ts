import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";

const require = createRequire(import.meta.url);

/** Somebody else's web site on a port of its own: pages made up by a test, and files of npm packages. */
export class PageServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #host: string;
  readonly #pages = new Map<string, string>();

  private constructor(server: Server, host: string) {
    this.#server = server;
    this.#host = host;
  }

  /**
   * @param packageFiles paths to serve, each with the module specifier of its file, e.g. `shaka-player/dist/…`.
   * @param host the address that the browser reaches it by.
   */
  static async start(packageFiles: Readonly<Record<string, string>> = {}, host = "127.0.0.1"): Promise<PageServer> {
    const files = new Map<string, Buffer>();
    for (const [path, specifier] of Object.entries(packageFiles)) {
      files.set(path, await readFile(require.resolve(specifier)));
    }
    const server = createServer((request, response) => {
      const path = (request.url ?? "").split("?", 1)[0] ?? "";
      const file = files.get(path);
      const page = site.#pages.get(path);
      if (file !== undefined) response.setHeader("content-type", "text/javascript; charset=utf-8").end(file);
      else if (page !== undefined) response.setHeader("content-type", "text/html; charset=utf-8").end(page);
      // The browser asks for it by itself; its absence would look like a complaint of the page.
      else if (path === "/favicon.ico") response.writeHead(204).end();
      else response.writeHead(404).end();
    });
    const site = new PageServer(server, host);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, host, resolve);
    });
    return site;
  }

  /** Serves `body` in a page. @returns its address. */
  page(path: string, body: string): string {
    this.#pages.set(path, `<!doctype html><html lang="en"><meta charset="utf-8"><title>Test</title><body>${body}`);
    return `http://${this.#host}:${(this.#server.address() as AddressInfo).port}${path}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
