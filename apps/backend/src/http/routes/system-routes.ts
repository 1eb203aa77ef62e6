import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { AdminGuard } from "../admin-guard.ts";
import type { HttpServices } from "../services.ts";

const Health = z.object({ status: z.literal("ok") });
const Readiness = z.object({ status: z.enum(["ready", "not_ready"]), reason: z.string().optional() });

/** `/healthz`, `/readyz`, `/metrics`. */
export function systemRoutes(services: HttpServices, guard: AdminGuard, metricsPublic: boolean): FastifyPluginAsyncZod {
  return async (app) => {
    app.get("/healthz", { schema: { tags: ["system"], response: { 200: Health } } }, async (_request, reply) => {
      reply.header("cache-control", "no-store");
      return { status: "ok" as const };
    });

    app.get(
      "/readyz",
      { schema: { tags: ["system"], response: { 200: Readiness, 503: Readiness } } },
      async (_request, reply) => {
        reply.header("cache-control", "no-store");
        const reason = services.notReady();
        if (reason === undefined) return { status: "ready" as const };
        return reply.status(503).send({ status: "not_ready", reason });
      },
    );

    app.get(
      "/metrics",
      {
        ...(metricsPublic ? {} : { onRequest: guard.require }),
        schema: { tags: ["system"], produces: ["text/plain"] },
      },
      async (_request, reply) => {
        reply.header("cache-control", "no-store").type(services.metrics.contentType);
        return services.metrics.render();
      },
    );
  };
}
