import { FakePeer } from "./fake-peer.ts";
import type { LinkMeans } from "./realtime-link.ts";
import type { EventStream } from "./session-events.ts";

const ANSWER =
  "v=0\r\na=ice-lite\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ice-ufrag:theirs\r\na=ice-pwd:theirPassword\r\n";

/** Server-sent events for tests. */
class FakeEvents extends EventTarget {
  readonly url: string;
  readyState = 1;

  constructor(url: string) {
    super();
    this.url = url;
  }

  send(type: string, data: object = {}): void {
    this.dispatchEvent(new MessageEvent(type, { data: JSON.stringify(data) }));
  }

  refuse(): void {
    this.readyState = 2;
    this.dispatchEvent(new Event("error"));
  }

  close(): void {
    this.readyState = 2;
  }
}

/** A WHEP door for tests, and the browser's means to get to it. */
export class FakeDoor {
  /** Method and path of each request. */
  readonly requests: string[] = [];
  readonly bodies: string[] = [];
  readonly peers: FakePeer[] = [];
  readonly events: FakeEvents[] = [];
  /** What an offer is answered with. 0: nobody answers. */
  status = 201;
  link: string | null = null;
  /** Sessions that are not there any more. */
  readonly gone = new Set<string>();
  /** What a session says of itself. */
  state: object = { state: "active" };
  unreachable = false;
  #sessions = 0;

  readonly means: LinkMeans = {
    fetcher: async (url, init) => this.#answer(new URL(url).pathname, init),
    createPeer: (configuration) => {
      const peer = new FakePeer(configuration);
      this.peers.push(peer);
      return peer.peer;
    },
    openEvents: (url) => {
      const stream = new FakeEvents(new URL(url).pathname);
      this.events.push(stream);
      return stream as unknown as EventStream;
    },
  };

  /** The last one. */
  get peer(): FakePeer {
    const last = this.peers.at(-1);
    if (!last) throw new Error("no peer yet");
    return last;
  }

  async #answer(path: string, { method = "GET", body }: RequestInit): Promise<Response> {
    this.requests.push(`${method} ${path}`);
    this.bodies.push(typeof body === "string" ? body : "");
    if (this.unreachable) throw new TypeError("fetch failed");
    const problem = (status: number) => new Response("{}", { status });
    if (path === "/v1/whep/demo") {
      if (this.status !== 201) return problem(this.status);
      const headers = new Headers({ location: `/session/${++this.#sessions}`, etag: '"1"' });
      if (this.link !== null) headers.set("link", this.link);
      return new Response(ANSWER, { status: 201, headers });
    }
    if (this.gone.has(path)) return problem(404);
    switch (method) {
      case "GET":
        return Response.json(this.state);
      case "PATCH":
        return new Response("a=ice-ufrag:renewed\r\na=ice-pwd:renewedPassword\r\n", { status: 200 });
      default:
        return new Response(null, { status: 204 });
    }
  }
}
