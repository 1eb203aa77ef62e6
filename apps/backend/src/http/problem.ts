import { KliegError } from "@klieg/protocol";
import type { FastifyError } from "fastify";
import { hasZodFastifySchemaValidationErrors } from "fastify-type-provider-zod";

/** The error table's row for whatever a route or Fastify itself threw. */
export function toKliegError(error: unknown): KliegError {
  if (error instanceof KliegError) return error;
  if (hasZodFastifySchemaValidationErrors(error)) {
    const first = error.validation[0];
    const where = first?.instancePath.replace(/^\//, "").replaceAll("/", ".") ?? "";
    return new KliegError("bad_request", `${where === "" ? "The request" : where}: ${first?.message ?? "not valid"}`, {
      cause: error,
    });
  }
  const { statusCode, code, message } = error as Partial<FastifyError>;
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE" || statusCode === 413) {
    return new KliegError("payload_too_large", "The request's body is too large.", { cause: error });
  }
  if (statusCode === 415) {
    return new KliegError("media_unsupported", "This content type is not taken here; send application/json.", {
      cause: error,
    });
  }
  if (statusCode === 429) return new KliegError("rate_limited", "Too many requests; wait a little.", { cause: error });
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new KliegError("bad_request", message ?? "The request is not valid.", { cause: error });
  }
  return KliegError.from(error);
}
