import type { FastifyPluginAsync } from "fastify";
import { type PageFiles, pageOf, servePageFiles } from "../page-files.ts";

/** The studio holds a stream key while it is open: no frame around it, nothing of others in it, no word to others. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  // Noise suppression is WebAssembly.
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self' blob:",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "connect-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
];

/** The studio in a browser alone (STU3): it publishes by WHIP. Its page names its files by relative addresses. */
export function studioRoutes(studio: PageFiles): FastifyPluginAsync {
  return async (app) => {
    await servePageFiles(app, studio, "/studio/");
    app.get("/studio", { schema: { hide: true } }, async (request, reply) => {
      const [path = "", query] = request.url.split("?", 2);
      if (!path.endsWith("/")) return reply.redirect(`studio/${query === undefined ? "" : `?${query}`}`, 308);
      const found = await pageOf(reply, studio, { contentSecurityPolicy: CONTENT_SECURITY_POLICY, captures: true });
      return (
        found ?? "<!doctype html><title>Klieg</title><p>The studio has not been built. Run <code>npm run build</code>."
      );
    });
  };
}
