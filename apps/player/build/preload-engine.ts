import type { Plugin } from "vite";

/**
 * Names the lazily loaded hls.js chunk in the page, so that the browser fetches it beside the entry instead of after it: on
 * `/watch` the first frame waits for both (DLV5).
 */
export function preloadEngine(): Plugin {
  return {
    name: "klieg:preload-engine",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(_html, { bundle }) {
        const engine = Object.values(bundle ?? {}).find(
          (output) => output.type === "chunk" && output.name === "hls-engine",
        );
        if (!engine) throw new Error("The build has no hls-engine chunk to preload.");
        return [
          {
            tag: "link",
            attrs: { rel: "modulepreload", crossorigin: true, href: `/${engine.fileName}` },
            injectTo: "head",
          },
        ];
      },
    },
  };
}
