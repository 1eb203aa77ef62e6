import { existsSync } from "node:fs";
import { join } from "node:path";
import type { FastifyPluginAsync, FastifyReply } from "fastify";
import { type PageFiles, pageOf, servePageFiles } from "../page-files.ts";

const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "worker-src 'self' blob:",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
];

/** The web player: `/`, `/watch/:channel`, `/embed/:channel`, `/room/:id`, and its files below `/assets/`. */
export function playerRoutes(player: PageFiles): FastifyPluginAsync {
  return async (app) => {
    if (!existsSync(join(player.folder, "index.html"))) {
      app.log.warn({ folder: player.folder }, "the player has not been built; its pages will say so");
    }
    await servePageFiles(app, player, "/");
    const page = async (reply: FastifyReply, { embeddable = false, captures = false } = {}) => {
      const contentSecurityPolicy = [...CONTENT_SECURITY_POLICY, `frame-ancestors ${embeddable ? "*" : "'self'"}`];
      const found = await pageOf(reply, player, { contentSecurityPolicy, captures });
      return (
        found ?? "<!doctype html><title>Klieg</title><p>The player has not been built. Run <code>npm run build</code>."
      );
    };
    app.get("/", { schema: { hide: true } }, (_request, reply) => page(reply));
    app.get("/watch/:channel", { schema: { hide: true } }, (_request, reply) => page(reply));
    app.get("/embed/:channel", { schema: { hide: true } }, (_request, reply) => page(reply, { embeddable: true }));
    app.get("/room/:id", { schema: { hide: true } }, (_request, reply) => page(reply, { captures: true }));
  };
}
