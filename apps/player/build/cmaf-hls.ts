import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Plugin } from "vite";

const require = createRequire(import.meta.url);
const manifestPath = require.resolve("hls.js/package.json");
const source = join(dirname(manifestPath), "src");
const { version } = JSON.parse(readFileSync(manifestPath, "utf8")) as { version: string };

/** What hls.js's own build leaves out of its "light" flavour by aliasing it to an empty module. */
const ABSENT =
  /\/(cmcd-controller|eme-controller|subtitle-stream-controller|subtitle-track-controller|timeline-controller|content-steering-controller|interstitials-controller|interstitial-player|iframe-controller|image-iframe-stream-controller|variable-substitution|imsc1-ttml-parser|webvtt-parser|cea-608-parser|cues|mediakeys-helper)$/;

/** Demuxers of containers that Klieg's origin never serves: it publishes CMAF and nothing else. */
const OTHER_CONTAINERS = /\/(tsdemuxer|aacdemuxer|mp3demuxer)$/;
const NEVER = "\0klieg:never-probed-demuxer";

/** The switches of hls.js's build (its `build-config`), set for live CMAF with alternate audio. */
export const HLS_FEATURES: Record<string, string> = {
  __USE_ALT_AUDIO__: "true",
  __USE_CMCD__: "false",
  __USE_CONTENT_STEERING__: "false",
  __USE_EME_DRM__: "false",
  __USE_IFRAMES__: "false",
  __USE_INTERSTITIALS__: "false",
  __USE_M2TS_ADVANCED_CODECS__: "false",
  __USE_MEDIA_CAPABILITIES__: "false",
  __USE_SUBTITLES__: "false",
  __USE_VARIABLE_SUBSTITUTION__: "false",
  __VERSION__: JSON.stringify(version),
  __IN_WORKER__: "undefined",
  __HLS_WORKER_BUNDLE__: "undefined",
};

/**
 * Builds hls.js from its published sources with the features that live CMAF needs. The ready-made light build lacks alternate
 * audio, which separate audio renditions (PKG1) need; the full build is 70 kB (gzip) larger than this one.
 */
export function cmafHls(): Plugin {
  return {
    name: "klieg:cmaf-hls",
    enforce: "pre",
    // The development server does not bundle, and unbundled modules cannot do without the absent ones: it takes the full hls.js.
    apply: "build",
    config: () => ({ define: HLS_FEATURES }),
    resolveId(id, importer) {
      if (id === "hls.js") return join(source, "hls.ts");
      if (!importer?.startsWith(source)) return null;
      if (ABSENT.test(id)) return join(source, "empty-es.js");
      if (OTHER_CONTAINERS.test(id)) return NEVER;
      return null;
    },
    load(id) {
      return id === NEVER ? "export default class { static probe() { return false; } }" : null;
    },
  };
}
