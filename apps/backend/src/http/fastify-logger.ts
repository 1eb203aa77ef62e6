import type { FastifyBaseLogger } from "fastify";
import type { Logger } from "../ports/logger.ts";

/** The backend's logger in the form that Fastify asks for: more levels, and words that may come without fields. */
export function fastifyLogger(logger: Logger): FastifyBaseLogger {
  const at =
    (level: "debug" | "info" | "warn" | "error") =>
    (first: unknown, words?: unknown): void => {
      if (typeof first === "string") logger[level]({}, first);
      else logger[level](first instanceof Error ? { err: first } : ((first ?? {}) as object), String(words ?? ""));
    };
  return {
    level: "info",
    trace: () => undefined,
    silent: () => undefined,
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    fatal: at("error"),
    child: (bindings: Record<string, unknown>) => fastifyLogger(logger.child(bindings)),
  } as FastifyBaseLogger;
}
