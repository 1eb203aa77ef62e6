import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyPluginAsync, FastifyReply } from "fastify";

export interface PlayerFiles {
  /** Folder of the built player. */
  readonly folder: string;
}

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
].join("; ");

/** Only a room asks for these, and then never for a page that it is framed by, or that it frames. */
const CAPTURE = ["camera", "microphone", "display-capture", "speaker-selection"];
const permissionsPolicy = (captures: boolean) =>
  CAPTURE.map((feature) => `${feature}=${captures ? "(self)" : "()"}`).join(", ");

/** The web player: `/`, `/watch/:channel`, `/embed/:channel`, `/room/:id`, and its files below `/assets/`. */
export function playerRoutes(player: PlayerFiles): FastifyPluginAsync {
  return async (app) => {
    const index = join(player.folder, "index.html");
    if (!existsSync(index)) {
      app.log.warn({ folder: player.folder }, "the player has not been built; its pages will say so");
    }
    await app.register(fastifyStatic, {
      root: player.folder,
      prefix: "/",
      index: false,
      // Looked up at each request: a player that is built anew under a running backend is served at once.
      wildcard: true,
      preCompressed: true,
      decorateReply: false,
      immutable: true,
      maxAge: "365d",
      setHeaders: (reply, path) => {
        // Only what the build names by its content never changes.
        if (!path.startsWith(join(player.folder, "assets"))) reply.header("cache-control", "public, max-age=3600");
      },
    });
    const page = async (reply: FastifyReply, { embeddable = false, captures = false } = {}) => {
      reply
        .type("text/html; charset=utf-8")
        .header("cache-control", "no-cache")
        .header("x-content-type-options", "nosniff")
        .header("referrer-policy", "strict-origin-when-cross-origin")
        .header("permissions-policy", permissionsPolicy(captures))
        .header(
          "content-security-policy",
          `${CONTENT_SECURITY_POLICY}; frame-ancestors ${embeddable ? "*" : "'self'"}`,
        );
      try {
        return await readFile(index, "utf8");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
        return reply
          .status(503)
          .send("<!doctype html><title>Klieg</title><p>The player has not been built. Run <code>npm run build</code>.");
      }
    };
    app.get("/", { schema: { hide: true } }, (_request, reply) => page(reply));
    app.get("/watch/:channel", { schema: { hide: true } }, (_request, reply) => page(reply));
    app.get("/embed/:channel", { schema: { hide: true } }, (_request, reply) => page(reply, { embeddable: true }));
    app.get("/room/:id", { schema: { hide: true } }, (_request, reply) => page(reply, { captures: true }));
  };
}
