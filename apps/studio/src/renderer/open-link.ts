import { openEnginePort } from "./link/port-transport.ts";
import { StudioLink } from "./link/studio-link.ts";
import { engineSocketUrl, openWebSocket } from "./link/websocket-transport.ts";

export interface OpenedLink {
  readonly link: StudioLink;
  /** Address of a file of the show. @param id of the asset. */
  readonly assetUrl: (id: string) => string;
}

/** The part of the address at which a backend serves the studio: there the engine is in the page itself. */
const BACKEND_PATH = /\/studio\/(index\.html)?$/;

/** Connects the page to its engine: of the desktop app, of the capture box that serves the page, or the one in the page itself. */
export async function openLink(page: Window): Promise<OpenedLink> {
  const served = (id: string) => `assets/${encodeURIComponent(id)}`;
  if (page.kliegDesktop !== undefined) {
    return { link: new StudioLink({ role: "stage", open: openEnginePort(page.kliegDesktop, page) }), assetUrl: served };
  }
  if (BACKEND_PATH.test(page.location.pathname)) {
    const { LocalEngine } = await import("./link/local-engine.ts");
    const engine = new LocalEngine();
    return { link: new StudioLink({ role: "stage", open: engine.open }), assetUrl: (id) => engine.assetUrl(id) };
  }
  const url = engineSocketUrl(page.location.href);
  return { link: new StudioLink({ role: "stage", open: openWebSocket(url) }), assetUrl: served };
}
