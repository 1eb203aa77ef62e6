// Bundled for a page of Chromium: the studio's link, its engine inside the page, and its publisher, without the interface.
export { LocalEngine } from "../../apps/studio/src/renderer/link/local-engine.ts";
export { StudioLink } from "../../apps/studio/src/renderer/link/studio-link.ts";
export { uploadAsset } from "../../apps/studio/src/renderer/link/upload-asset.ts";
export { WhipPublisher } from "../../apps/studio/src/renderer/media/whip/whip-publisher.ts";
