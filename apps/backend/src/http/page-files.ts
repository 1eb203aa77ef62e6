import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply } from "fastify";

/** An application of pages as its build left it. */
export interface PageFiles {
  /** Folder of the build: `index.html`, and `assets` that are named by their content. */
  readonly folder: string;
}

/** What pages of this server may ask the browser for: cameras and the like, and then never for a page that they are framed by. */
const CAPTURE = ["camera", "microphone", "display-capture", "speaker-selection"];

/** Serves what the build made beside its page, below `prefix`. */
export async function servePageFiles(app: FastifyInstance, { folder }: PageFiles, prefix: string): Promise<void> {
  await app.register(fastifyStatic, {
    root: folder,
    prefix,
    index: false,
    // Looked up at each request: what is built anew under a running backend is served at once.
    wildcard: true,
    preCompressed: true,
    decorateReply: false,
    immutable: true,
    maxAge: "365d",
    setHeaders: (reply, path) => {
      // Only what the build names by its content never changes.
      if (!path.startsWith(join(folder, "assets"))) reply.header("cache-control", "public, max-age=3600");
    },
  });
}

/**
 * Answers with the page itself.
 * @param options its content security policy, and whether it may capture.
 * @returns undefined where it has not been built.
 */
export async function pageOf(
  reply: FastifyReply,
  { folder }: PageFiles,
  options: { readonly contentSecurityPolicy: readonly string[]; readonly captures: boolean },
): Promise<string | undefined> {
  reply
    .type("text/html; charset=utf-8")
    .header("cache-control", "no-cache")
    .header("x-content-type-options", "nosniff")
    .header("referrer-policy", "strict-origin-when-cross-origin")
    .header(
      "permissions-policy",
      CAPTURE.map((feature) => `${feature}=${options.captures ? "(self)" : "()"}`).join(", "),
    )
    .header("content-security-policy", options.contentSecurityPolicy.join("; "));
  try {
    return await readFile(join(folder, "index.html"), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    reply.status(503);
    return undefined;
  }
}
