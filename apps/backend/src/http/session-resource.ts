import { KliegError } from "@klieg/protocol";
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from "fastify";

/** What a page of another origin may read of the answers of WHIP and WHEP. */
export const EXPOSED_HEADERS = ["Accept-Patch", "Accept-Post", "Allow", "ETag", "Link", "Location", "Retry-After"];

/** Ids of sessions: 18 random bytes in base64url. */
export const SESSION_ID = /^[A-Za-z0-9_-]{24}$/;

const RETRY_AFTER_S = 2;

/** What the log of a TURN server may show of a session: too little to get at its resource. */
export function sessionTag(id: string): string {
  return id.slice(0, 8);
}

/** Whether a browser only asks whether it may ask (CORS): no credentials are made for that (RFC 9725 § 4.6). */
export function isPreflight(request: FastifyRequest): boolean {
  return request.headers["access-control-request-method"] !== undefined;
}

/** Adds `Retry-After` (RFC 9110 § 10.2.3) where the same request may succeed later. */
export function tellWhenToRetry(reply: FastifyReply, error: unknown): void {
  if (error instanceof KliegError && error.retryable) reply.header("retry-after", RETRY_AFTER_S);
}

/** Answers methods that a resource does not have, before their body is looked at; later versions of the protocols may use them. */
export function refuseMethods(
  app: Pick<FastifyInstance, "route">,
  url: string,
  methods: readonly HTTPMethods[],
  allow: string,
): void {
  app.route({
    url,
    method: [...methods],
    schema: { hide: true },
    onRequest: async (_request, reply) => {
      reply.header("allow", allow);
      throw new KliegError("method_not_allowed", `Only ${allow.replace(/, (?=[^,]*$)/, " and ")} can be used here.`);
    },
    handler: async () => undefined,
  });
}
