import { KliegError } from "@klieg/protocol";
import type { z } from "zod";
import { exchange, type HttpRequest, parseJson, refusalOf } from "./http-exchange.ts";

// What every part of a Klieg backend's HTTP API is asked by.

/** Asks for JSON of that kind. @throws {KliegError} the server's own; `unreachable` where it answers with something else. */
export async function ask<T extends z.ZodType>(schema: T, request: HttpRequest): Promise<z.infer<T>> {
  const answer = await exchange({ ...request, headers: { accept: "application/json", ...request.headers } });
  if (answer.status < 200 || answer.status > 299) throw refusalOf(request.url, answer);
  const parsed = schema.safeParse(parseJson(answer.text));
  if (parsed.success) return parsed.data;
  const words = `${request.url.host} answers, but not as a Klieg backend of this version does.`;
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
