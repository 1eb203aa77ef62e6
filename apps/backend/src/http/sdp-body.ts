import { KliegError } from "@klieg/protocol";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { MAX_SDP_BYTES } from "../sfu/sdp/sdp-text.ts";

export const SDP = "application/sdp";
export const SDP_FRAGMENT = "application/trickle-ice-sdpfrag";

/** Makes an encapsulated part of the API take session descriptions, as text, and nothing else that has a body. */
export function takeSdpBodies(app: FastifyInstance, others: readonly string[] = []): void {
  for (const type of ["application/json", "text/plain"]) {
    if (!others.includes(type)) app.removeContentTypeParser(type);
  }
  app.addContentTypeParser(
    [SDP, SDP_FRAGMENT],
    { parseAs: "string", bodyLimit: MAX_SDP_BYTES },
    (_request, body, done) => done(null, body),
  );
  app.addContentTypeParser("*", (_request, _payload, done) =>
    done(new KliegError("media_unsupported", `This content type is not taken here; send ${SDP}.`)),
  );
}

/**
 * The request's body as text of the type that it must have.
 * @throws {KliegError} `media_unsupported`, `sdp_invalid` where it is empty.
 */
export function sdpBody(request: FastifyRequest, type: typeof SDP | typeof SDP_FRAGMENT): string {
  const given = (request.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase();
  if (given !== type) throw new KliegError("media_unsupported", `This content type is not taken here; send ${type}.`);
  if (typeof request.body !== "string" || request.body.trim() === "") {
    throw new KliegError("sdp_invalid", "The request has no session description.");
  }
  return request.body;
}

/** The request's `If-Match`; clients of the protocol's drafts send the entity tag in a header `ETag`. */
export function ifMatch({ headers }: FastifyRequest): string | undefined {
  const { etag } = headers;
  return headers["if-match"] ?? (typeof etag === "string" ? etag : undefined);
}

/** @throws {KliegError} `not_acceptable` where the client takes no answer of `type`. */
export function requireAcceptable(request: FastifyRequest, type: string): void {
  const accept = request.headers.accept;
  if (accept === undefined || accept.trim() === "") return;
  const [main = ""] = type.split("/");
  const takes = accept
    .toLowerCase()
    .split(",")
    .some((range) => {
      const [name = "", ...parameters] = range.split(";").map((part) => part.trim());
      return (
        (name === "*/*" || name === `${main}/*` || name === type) &&
        !parameters.some((part) => /^q=0(\.0*)?$/.test(part))
      );
    });
  if (!takes)
    throw new KliegError("not_acceptable", `The answer is ${type}, which the request's Accept does not have.`);
}
