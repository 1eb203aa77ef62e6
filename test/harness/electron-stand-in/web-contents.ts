import { EventEmitter } from "node:events";
import { readFile } from "node:fs/promises";
import type { BrowserContext, CDPSession, Page } from "playwright-core";
import { toApp, toChromium } from "./address.ts";
import { note } from "./journal.ts";
import { MAIN_WORLD, preloadWorld } from "./page-world.ts";
import type { MessagePortMain } from "./ports.ts";

const WORLD = "electron_stand_in_preload";

/** What the page says to the app. */
type FromPage =
  | { readonly send: string; readonly args: unknown[] }
  | { readonly invoke: string; readonly id: number; readonly args: unknown[] }
  | { readonly port: number; readonly bytes?: string; readonly data?: unknown; readonly close?: boolean };

type WindowOpenHandler = (details: { readonly url: string }) => { readonly action: "allow" | "deny" };
type DisplayMediaHandler = (
  request: { readonly frame: WebFrameMain; readonly audioRequested: boolean; readonly videoRequested: boolean },
  callback: (streams: { readonly video?: { readonly name: string } } | null) => void,
) => void;

/** Stands in for Electron's `WebFrameMain`: the frame that a message came from. */
export interface WebFrameMain {
  readonly url: string;
  readonly parent: WebFrameMain | null;
  postMessage(channel: string, message: unknown, ports: readonly MessagePortMain[]): void;
}

/** An event that a listener may prevent. */
export class PreventableEvent {
  defaultPrevented = false;
  readonly properties: object;

  constructor(properties: object = {}) {
    this.properties = properties;
    Object.assign(this, properties);
  }

  preventDefault(): void {
    this.defaultPrevented = true;
  }
}

/** Who listens to what pages say: Electron's `ipcMain`. */
export class IpcMain extends EventEmitter {
  readonly handlers = new Map<string, (event: object, ...args: unknown[]) => unknown>();

  handle(channel: string, handler: (event: object, ...args: unknown[]) => unknown): void {
    this.handlers.set(channel, handler);
  }
}
export const ipcMain = new IpcMain();

/** What the app set for all its pages. */
export const sessionSettings: {
  displayMedia: DisplayMediaHandler | undefined;
} = { displayMedia: undefined };

let ports = 0;

/** Stands in for Electron's `WebContents`: a page of Chromium, and another one after that has crashed. */
export class WebContents extends EventEmitter {
  readonly #context: () => Promise<BrowserContext>;
  readonly #preload: string;
  readonly #ports = new Map<number, MessagePortMain>();
  #page: Page | undefined;
  #cdp: CDPSession | undefined;
  #world: number | undefined;
  #address = "about:blank";
  #windowOpen: WindowOpenHandler = () => ({ action: "allow" });

  constructor(context: () => Promise<BrowserContext>, preload: string) {
    super();
    this.#context = context;
    this.#preload = preload;
  }

  get page(): Page | undefined {
    return this.#page;
  }

  get mainFrame(): WebFrameMain {
    return this.#frame(toApp(this.#page?.url() ?? ""));
  }

  get windowOpenHandler(): WindowOpenHandler {
    return this.#windowOpen;
  }

  setWindowOpenHandler(handler: WindowOpenHandler): void {
    this.#windowOpen = handler;
  }

  async loadURL(address: string): Promise<void> {
    this.#address = address;
    const page = this.#page ?? (await this.#open());
    await page.goto(toChromium(address), { waitUntil: "load" });
  }

  reload(): void {
    const again = this.#page === undefined ? this.loadURL(this.#address) : this.#page.reload();
    again.then(undefined, (error: unknown) => note("reload failed", String(error)));
  }

  forcefullyCrashRenderer(): void {
    // Answered by nobody: who would have is gone.
    this.#cdp?.send("Page.crash").catch(() => undefined);
  }

  send(channel: string, ...args: unknown[]): void {
    this.#emitInPage(channel, args, []);
  }

  async destroy(): Promise<void> {
    const page = this.#page;
    this.#page = undefined;
    this.#closePorts();
    await page?.close();
  }

  /** A message as if the page had sent it; tests forge others. */
  receive(message: FromPage, frame: WebFrameMain = this.mainFrame, sender: WebContents = this): void {
    if ("send" in message) {
      ipcMain.emit(message.send, { sender, senderFrame: frame }, ...message.args);
    } else if ("invoke" in message) {
      const answer = async () => {
        const handler = ipcMain.handlers.get(message.invoke);
        if (handler === undefined) throw new Error(`No handler registered for '${message.invoke}'`);
        return await handler({ sender, senderFrame: frame }, ...message.args);
      };
      answer().then(
        (value) => this.#inWorld(`standIn.reply(${message.id}, true, ${JSON.stringify(value) ?? "undefined"})`),
        (error: Error) => this.#inWorld(`standIn.reply(${message.id}, false, ${JSON.stringify(error.message)})`),
      );
    } else {
      const port = this.#ports.get(message.port);
      if (message.close) {
        this.#ports.delete(message.port);
        port?.close();
      } else {
        port?.postMessage(
          message.bytes === undefined ? message.data : Uint8Array.from(Buffer.from(message.bytes, "base64")),
        );
      }
    }
  }

  #frame(url: string): WebFrameMain {
    return {
      url,
      parent: null,
      postMessage: (channel, message, sent) => this.#emitInPage(channel, [message], sent),
    };
  }

  async #open(): Promise<Page> {
    const page = await (await this.#context()).newPage();
    const cdp = await page.context().newCDPSession(page);
    const { frameTree } = await cdp.send("Page.getFrameTree");
    cdp.on("Runtime.executionContextCreated", ({ context }) => {
      // Electron runs no preload script in frames within the page.
      const { frameId } = (context.auxData ?? {}) as { readonly frameId?: string };
      if (context.name !== WORLD || frameId !== frameTree.frame.id) return;
      this.#world = context.id;
      // Another document: whoever spoke to the last one is cut off.
      this.#closePorts();
    });
    cdp.on("Runtime.bindingCalled", ({ name, payload }) => {
      if (name === "standInApp") this.receive(JSON.parse(payload) as FromPage);
      else if (name === "standInDisplay") this.#captureDisplay(JSON.parse(payload) as { audio: boolean });
    });
    await cdp.send("Page.enable");
    await cdp.send("Runtime.enable");
    await cdp.send("Runtime.addBinding", { name: "standInApp", executionContextName: WORLD });
    await cdp.send("Runtime.addBinding", { name: "standInDisplay" });
    await cdp.send("Page.addScriptToEvaluateOnNewDocument", { source: MAIN_WORLD });
    const preload = await readFile(this.#preload, "utf8");
    await cdp.send("Page.addScriptToEvaluateOnNewDocument", { source: preloadWorld(preload), worldName: WORLD });
    page.on("crash", () => {
      this.#page = undefined;
      this.#closePorts();
      this.emit("render-process-gone", {}, { reason: "crashed", exitCode: 5 });
      page.close().catch(() => undefined);
    });
    page.on("console", (message) => note(message.type() === "error" ? "console error" : "console", message.text()));
    page.on("pageerror", (error) => note("page error", error.message));
    page.on("load", () => this.emit("did-finish-load"));
    this.#cdp = cdp;
    this.#page = page;
    return page;
  }

  #captureDisplay({ audio }: { readonly audio: boolean }): void {
    const answer = (video: string | null) => {
      const detail = JSON.stringify(JSON.stringify(video === null ? null : { video }));
      this.#page
        ?.evaluate(`window.dispatchEvent(new CustomEvent("stand-in-display-answer", { detail: ${detail} }))`)
        .catch(() => undefined);
    };
    const handler = sessionSettings.displayMedia;
    if (handler === undefined) answer(null);
    else {
      handler({ frame: this.mainFrame, audioRequested: audio, videoRequested: true }, (streams) =>
        answer(streams?.video?.name ?? null),
      );
    }
  }

  #emitInPage(channel: string, args: readonly unknown[], sent: readonly MessagePortMain[]): void {
    const ids = sent.map((port) => {
      ports += 1;
      const id = ports;
      this.#ports.set(id, port);
      port.on("message", ({ data }: { readonly data: unknown }) => {
        const message =
          data instanceof Uint8Array ? { bytes: Buffer.from(data).toString("base64") } : { data: data ?? null };
        this.#inWorld(`standIn.port(${id}, ${JSON.stringify(message)})`);
      });
      port.on("close", () => {
        if (this.#ports.delete(id)) this.#inWorld(`standIn.closePort(${id})`);
      });
      return id;
    });
    this.#inWorld(`standIn.emit(${JSON.stringify(channel)}, ${JSON.stringify(args)}, ${JSON.stringify(ids)})`);
    // Not before the page has it: what comes first would find nobody.
    for (const port of sent) port.start();
  }

  #inWorld(expression: string): void {
    if (this.#page === undefined || this.#world === undefined) return;
    this.#cdp
      ?.send("Runtime.evaluate", { expression, contextId: this.#world })
      .then(({ exceptionDetails }) => {
        if (exceptionDetails !== undefined) note("preload world", exceptionDetails.exception?.description);
      })
      // The page is gone meanwhile.
      .catch(() => undefined);
  }

  #closePorts(): void {
    const open = [...this.#ports.values()];
    this.#ports.clear();
    for (const port of open) port.close();
  }
}
