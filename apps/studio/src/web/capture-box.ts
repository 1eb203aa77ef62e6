import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { StudioEngine } from "../engine/studio-engine.ts";
import { AccessToken } from "./access-token.ts";
import type { WebConfig } from "./config.ts";
import { EngineDoor } from "./engine-door.ts";
import { lockInstance } from "./instance-lock.ts";
import { PageDoor } from "./page-door.ts";

export interface CaptureBoxOptions extends WebConfig {
  readonly version: string;
  /** Folder of the built page, absolute. */
  readonly page: string;
}

/** The studio without a window (STU3): the engine, and a web server that gives its page to browsers. */
export class CaptureBox implements AsyncDisposable {
  readonly engine: StudioEngine;
  /** Address that lets its browser in. */
  readonly link: string;
  readonly #closeAll: () => Promise<void>;
  #closing: Promise<void> | undefined;

  private constructor(engine: StudioEngine, link: string, closeAll: () => Promise<void>) {
    this.engine = engine;
    this.link = link;
    this.#closeAll = closeAll;
  }

  /** @throws {InstanceLockedError}, KliegError, or what listening threw: `EADDRINUSE`, `EACCES`. */
  static async open(options: CaptureBoxOptions): Promise<CaptureBox> {
    const { dataFolder, recordingFolder, version, ffmpeg, page, host, port } = options;
    await using held = new AsyncDisposableStack();
    held.use(await lockInstance(join(dataFolder, "studio.pid")));
    const token = await AccessToken.of(join(dataFolder, "web-token"));
    const engine = held.use(
      await StudioEngine.open({
        dataFolder,
        recordingFolder,
        version,
        ffmpeg,
        host: "web",
        cores: availableParallelism(),
      }),
    );
    const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 });
    server.listen(port, host);
    await once(server, "listening");
    held.defer(async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    });
    const address = server.address() as AddressInfo;
    const pageDoor = new PageDoor({
      page,
      token,
      cookie: `klieg_studio_${address.port}`,
      asset: (id) => engine.asset(id),
    });
    const engineDoor = held.use(new EngineDoor({ engine, admits: (request) => pageDoor.admits(request) }));
    server.on("request", (request, response) => void pageDoor.answer(request, response));
    server.on("upgrade", (request, socket, head) => engineDoor.upgrade(request, socket, head));
    const opened = held.move();
    return new CaptureBox(engine, `http://${reachable(address)}/?token=${token.text}`, async () => {
      // First the show, while its pages still see how it ends.
      await engine.close();
      await opened.disposeAsync();
    });
  }

  /** Ends broadcast and recording in order, then everything. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** What a browser on this machine types: browsers give cameras to localhost without HTTPS. */
function reachable({ address, family, port }: AddressInfo): string {
  if (["127.0.0.1", "::1", "0.0.0.0", "::"].includes(address)) return `localhost:${port}`;
  return family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`;
}
