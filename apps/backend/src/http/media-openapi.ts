import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";

type Paths = NonNullable<NonNullable<FastifyDynamicSwaggerOptions["openapi"]>["paths"]>;
type Operation = NonNullable<NonNullable<Paths[string]>["get"]>;

const string = { type: "string" } as const;
const integer = { type: "integer", minimum: 0 } as const;

const stream = { name: "id", in: "path", required: true, description: "The stream.", schema: string } as const;
const rendition = {
  name: "rendition",
  in: "path",
  required: true,
  description: "`source`, `audio`, or a rung such as `720p`.",
  schema: string,
} as const;

const number = (name: string, description: string) =>
  ({ name, in: "path", required: true, description, schema: integer }) as const;
const directive = (name: string, description: string, schema: object) =>
  ({ name, in: "query", description, schema }) as const;

const error = (description: string) => ({ description });
const playlist = { description: "A playlist.", content: { "application/vnd.apple.mpegurl": { schema: string } } };
const media = { description: "CMAF.", content: { "video/mp4": {}, "audio/mp4": {} } };

const get = (
  summary: string,
  parameters: NonNullable<Operation["parameters"]>,
  ok: Operation["responses"][string],
  others: Operation["responses"],
) => ({
  get: { tags: ["playback"], summary, parameters, responses: { 200: ok, ...others } },
});

/** The origin's addresses for the API's description: they are answered before Fastify's router, which describes the rest. */
export const MEDIA_PATHS: Paths = {
  "/v1/streams/{id}/manifest.m3u8": get("Multivariant playlist", [stream], playlist, {
    404: error("`stream_unknown`, or `stream_not_live` before anything can be played."),
  }),
  "/v1/previews/{token}/manifest.m3u8": get(
    "Multivariant playlist of a stream, hidden or not, for its owner; what it names lies below the same address",
    [
      {
        name: "token",
        in: "path",
        required: true,
        description: "`preview_access.token` of the stream.",
        schema: string,
      },
    ],
    playlist,
    { 404: error("`stream_unknown`, or `stream_not_live` before anything can be played.") },
  ),
  "/v1/streams/{id}/{rendition}/index.m3u8": get(
    "Media playlist of a rendition, with blocking reload and delta updates (RFC 8216bis § 6.2.5)",
    [
      stream,
      rendition,
      directive("_HLS_msn", "Answer when this segment is there.", integer),
      directive("_HLS_part", "Answer when this part of it is there.", integer),
      directive("_HLS_skip", "Leave out what the client has.", { type: "string", enum: ["YES", "v2"] }),
    ],
    playlist,
    {
      400: error("`bad_request`, or `blocking_reload_too_far`."),
      404: error("`stream_unknown` or `not_found`."),
      503: error("`blocking_reload_timeout`: nothing new within three target durations."),
    },
  ),
  "/v1/streams/{id}/{rendition}/init-{number}.mp4": get(
    "Init segment",
    [stream, rendition, number("number", "As the playlist names it.")],
    media,
    { 404: error("`not_found`.") },
  ),
  "/v1/streams/{id}/{rendition}/{msn}.m4s": get(
    "Segment; ranges are served",
    [stream, rendition, number("msn", "Media Sequence Number.")],
    media,
    { 206: media, 404: error("`not_found`."), 416: error("`range_not_satisfiable`.") },
  ),
  "/v1/streams/{id}/{rendition}/part-{serial}.m4s": get(
    "Partial segment; the one that the preload hint names is answered as soon as it is made",
    [stream, rendition, number("serial", "As the playlist names it.")],
    media,
    { 206: media, 404: error("`not_found`.") },
  ),
};
