import { createInterface } from "node:readline";
import { note } from "./journal.ts";
import type { UtilityProcess } from "./utility-process.ts";
import type { WebContents } from "./web-contents.ts";

/** What a test may do to the app that no page can. */
export type Order =
  /** An expression in the page's own world; its value, awaited, is the answer. */
  | { readonly evaluate: string }
  /** Kills the process that draws the page. */
  | { readonly crash: "page" | "engine" }
  /** A message to the main process by somebody else. */
  | { readonly forge: string; readonly args: readonly unknown[]; readonly url: string; readonly top?: boolean }
  | { readonly menu: string }
  | { readonly shortcut: string }
  /** Answers the question that is open, by the number of the button. */
  | { readonly answer: number }
  | { readonly move: { readonly x: number; readonly y: number; readonly width: number; readonly height: number } }
  | { readonly close: "window" }
  | { readonly screenshot: string };

/** The app as the control sees it. */
export interface ControlledApp {
  readonly app: { quit(): void };
  readonly window: () =>
    | { readonly webContents: WebContents; moveTo(bounds: (Order & { move: object })["move"]): void; close(): void }
    | undefined;
  menu: (label: string) => void;
  readonly shortcuts: Map<string, () => void>;
  question: ((button: number) => void) | undefined;
  engine: UtilityProcess | undefined;
}

/** Takes orders from the test: lines of JSON on standard input, each with an `id` that its answer repeats. */
export function takeOrders(controlled: ControlledApp): void {
  createInterface({ input: process.stdin }).on("line", (line) => {
    const { id, ...order } = JSON.parse(line) as Order & { readonly id: number };
    carryOut(controlled, order as Order).then(
      (value) => note("done", { id, value }),
      (error: unknown) => note("done", { id, error: String(error) }),
    );
  });
}

async function carryOut(controlled: ControlledApp, order: Order): Promise<unknown> {
  const window = controlled.window();
  if ("menu" in order) controlled.menu(order.menu);
  else if ("shortcut" in order) controlled.shortcuts.get(order.shortcut)?.();
  else if ("answer" in order) controlled.question?.(order.answer);
  else if ("crash" in order && order.crash === "engine") controlled.engine?.kill();
  else if (window === undefined) throw new Error("there is no window");
  else if ("crash" in order) window.webContents.forcefullyCrashRenderer();
  else if ("move" in order) window.moveTo(order.move);
  else if ("close" in order) window.close();
  else if ("forge" in order) forge(window.webContents, order);
  else {
    const page = window.webContents.page;
    if (page === undefined) throw new Error("the page is gone");
    if ("screenshot" in order) await page.screenshot({ path: order.screenshot });
    else return await page.evaluate(order.evaluate);
  }
  return undefined;
}

function forge(contents: WebContents, order: Extract<Order, { forge: string }>): void {
  const own = contents.mainFrame;
  const frame = {
    url: order.url,
    parent: order.top === false ? own : null,
    postMessage: (channel: string) => note("forger got", channel),
  };
  contents.receive({ send: order.forge, args: [...order.args] }, frame);
}
