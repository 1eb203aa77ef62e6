import { ServerInfo, SystemInfo } from "@klieg/protocol";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { AdminGuard } from "../admin-guard.ts";
import type { HttpServices } from "../services.ts";

const Health = z.object({ status: z.literal("ok") });
const Readiness = z.object({ status: z.enum(["ready", "not_ready"]), reason: z.string().optional() });

/** `/healthz`, `/readyz`, `/metrics`, `/v1/server`, `/v1/system`. */
export function systemRoutes(
  services: HttpServices,
  guard: AdminGuard,
  { metricsPublic, version }: { readonly metricsPublic: boolean; readonly version: string },
): FastifyPluginAsyncZod {
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

    app.get("/v1/server", { schema: { tags: ["system"], response: { 200: ServerInfo } } }, async (_request, reply) => {
      reply.header("cache-control", "no-store");
      return { product: "klieg" as const, version, webrtc: services.sfu.unavailable === undefined };
    });

    app.get(
      "/v1/system",
      {
        onRequest: guard.require,
        schema: { tags: ["system"], security: [{ admin: [] }], response: { 200: SystemInfo } },
      },
      async (_request, reply) => {
        reply.header("cache-control", "no-store");
        const { unavailable } = services.sfu;
        const { workers, peers } = await services.sfu.statistics();
        return {
          version,
          webrtc: {
            available: unavailable === undefined,
            reason: unavailable ?? null,
            workers: workers.map(({ index, isRunning, deaths, load }) => ({ index, running: isRunning, deaths, load })),
            peers,
          },
        };
      },
    );
  };
}
