import compress from "@fastify/compress";
import cors from "@fastify/cors";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import { KliegError } from "@klieg/protocol";
import Fastify, { LogController } from "fastify";
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from "fastify-type-provider-zod";
import type { Logger } from "../ports/logger.ts";
import { AdminGuard } from "./admin-guard.ts";
import { fastifyLogger } from "./fastify-logger.ts";
import { createHttpDoor } from "./http-door.ts";
import type { MediaDoor } from "./media-door.ts";
import { MEDIA_PATHS } from "./media-openapi.ts";
import type { PageFiles } from "./page-files.ts";
import { toKliegError } from "./problem.ts";
import type { RoomDoor } from "./room-door.ts";
import { channelRoutes } from "./routes/channel-routes.ts";
import { playerRoutes } from "./routes/player-routes.ts";
import { roomRoutes } from "./routes/room-routes.ts";
import { streamRoutes } from "./routes/stream-routes.ts";
import { studioRoutes } from "./routes/studio-routes.ts";
import { systemRoutes } from "./routes/system-routes.ts";
import { whepRoutes } from "./routes/whep-routes.ts";
import { whipRoutes } from "./routes/whip-routes.ts";
import type { HttpServices } from "./services.ts";

export interface ApiOptions {
  readonly services: HttpServices;
  readonly media: MediaDoor;
  readonly roomDoor: RoomDoor;
  readonly adminToken: string;
  readonly metricsPublic: boolean;
  readonly player: PageFiles;
  readonly studio: PageFiles;
  readonly logger: Logger;
  readonly trustedProxies: number;
  readonly version: string;
}

/** The HTTP surface: thin routes over the domain; media requests go past Fastify's router, straight to the origin. */
export async function createApi(options: ApiOptions) {
  const { services, media } = options;
  const app = Fastify({
    loggerInstance: fastifyLogger(options.logger),
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 64 * 1024,
    trustProxy: (_address, hop) => hop < options.trustedProxies,
    routerOptions: { maxParamLength: 200, ignoreTrailingSlash: true },
    serverFactory: (handler) =>
      createHttpDoor(
        (request, response) => {
          if (!media.handle(request, response)) handler(request, response);
        },
        { maxConnections: 20_000, headersTimeoutMs: 10_000, keepAliveTimeoutMs: 65_000 },
      ),
  }).withTypeProvider<ZodTypeProvider>();
  app.server.on("upgrade", (request, socket, head) => {
    if (options.roomDoor.handle(request, socket, head)) return;
    socket.on("error", () => socket.destroy());
    socket.end("HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler((error, request, reply) => {
    const problem = toKliegError(error);
    // What is asked of clients in words (come later, say) is no fault of ours, however often it must be said.
    if (problem.status >= 500 && (problem.code === "internal" || problem.cause !== undefined)) {
      options.logger.error({ err: problem.cause ?? problem, path: request.url.split("?", 1)[0] }, problem.message);
    }
    return reply.status(problem.status).header("cache-control", "no-store").send(problem.toBody());
  });
  app.setNotFoundHandler((request) => {
    throw new KliegError("not_found", `There is nothing at ${request.url.slice(0, 200)}.`);
  });

  await app.register(cors, {
    origin: "*",
    methods: ["GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"],
    maxAge: 86_400,
  });
  await app.register(compress, { threshold: 1024, encodings: ["br", "gzip"] });
  await app.register(swagger, {
    openapi: {
      info: {
        title: "Klieg",
        version: options.version,
        description: "Live streaming: ingest by RTMP, SRT and WHIP; adaptive LL-HLS and WHEP out.",
      },
      paths: MEDIA_PATHS,
      components: {
        securitySchemes: {
          admin: { type: "http", scheme: "bearer", description: "The admin token of this installation." },
          roomHost: { type: "http", scheme: "bearer", description: "The token of a host's invite to the room." },
          streamKey: { type: "http", scheme: "bearer", description: "A stream key of the channel." },
        },
      },
    },
    transform: jsonSchemaTransform,
  });
  await app.register(swaggerUi, { routePrefix: "/v1/docs" });
  app.get("/v1/openapi.json", { schema: { hide: true } }, async () => app.swagger());

  const guard = new AdminGuard(options.adminToken);
  await app.register(streamRoutes(services, guard));
  await app.register(channelRoutes(services, guard, media));
  await app.register(roomRoutes(services, guard));
  await app.register(whipRoutes(services));
  await app.register(whepRoutes(services));
  await app.register(systemRoutes(services, guard, options));
  await app.register(studioRoutes(options.studio));
  await app.register(playerRoutes(options.player));
  return app;
}
