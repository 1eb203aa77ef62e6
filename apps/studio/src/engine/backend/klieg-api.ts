import { KliegError } from "@klieg/protocol";
import { z } from "zod";
import { exchange, type HttpRequest, parseJson, refusalOf } from "./http-exchange.ts";

// What every part of a Klieg backend's HTTP API is asked by.

/** What a Klieg server of any version says of itself, this one's or one of the future. */
const AnyKlieg = z.object({ product: z.literal("klieg"), version: z.string().max(40) });

/** Asks for JSON of that kind. @throws {KliegError} the server's own; `unreachable` where it answers with something else. */
export async function ask<T extends z.ZodType>(schema: T, request: HttpRequest): Promise<z.infer<T>> {
  const answer = await exchange({ ...request, headers: { accept: "application/json", ...request.headers } });
  if (answer.status < 200 || answer.status > 299) throw refusalOf(request.url, answer);
  const said = parseJson(answer.text);
  const parsed = schema.safeParse(said);
  if (parsed.success) return parsed.data;
  const { host } = request.url;
  const klieg = AnyKlieg.safeParse(said);
  const words = klieg.success
    ? `${host} is a Klieg server of version ${klieg.data.version}, which this studio does not know. Update the studio.`
    : `${host} answers, but not as a Klieg backend does. Check the address and the port.`;
  throw new KliegError("unreachable", words, { cause: parsed.error });
}

/** Body and header of a request that sends JSON. */
export function json(value: object): Pick<HttpRequest, "body" | "headers"> {
  return { body: JSON.stringify(value), headers: { "content-type": "application/json" } };
}

/** The address in front of a backend's API. @throws {KliegError} `bad_request` for what is no address of a server. */
export function baseOf(address: string): URL {
  const url = URL.parse(address);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new KliegError("bad_request", "A backend's address begins with https:// or http://.");
  }
  const path = url.pathname.endsWith("/") ? url.pathname : `${url.pathname}/`;
  return new URL(path, url.origin);
}

/** @param path below the API, without a slash in front. */
export function apiUrl(base: URL, path: string): URL {
  return new URL(path, base);
}
