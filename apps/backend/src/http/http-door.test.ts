import { once } from "node:events";
import { get } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHttpDoor } from "./http-door.ts";

describe("DLV1: one port for HTTP/1.1 and cleartext HTTP/2", () => {
  let server: ReturnType<typeof createHttpDoor>;
  let port = 0;
  beforeEach(async () => {
    server = createHttpDoor((request, response) => response.end(`${request.httpVersion} ${request.url}`), {
      maxConnections: 100,
      headersTimeoutMs: 5000,
      keepAliveTimeoutMs: 5000,
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
  });
  afterEach(async () => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  });

  it("answers HTTP/1.1", async () => {
    const [response] = await once(get({ port, path: "/a", agent: false }), "response");
    expect(await text(response)).toBe("1.1 /a");
  });

  it("answers HTTP/2 with prior knowledge", async () => {
    const client = connectHttp2(`http://127.0.0.1:${port}`);
    expect(await text(client.request({ ":path": "/b" }).end())).toBe("2.0 /b");
    client.close();
    await once(client, "close");
  });

  it.each(["G", "PR", "PRI"])("decides although the first bytes come one by one, after %s", async (first) => {
    const socket = connect(port, "127.0.0.1");
    const whole = first.startsWith("P")
      ? `${first === "PRI" ? "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" : "PROPFIND /c HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"}`
      : "GET /c HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    socket.setNoDelay(true);
    socket.write(whole.slice(0, first.length));
    await once(socket, "ready").catch(() => undefined);
    setImmediate(() => socket.write(whole.slice(first.length)));
    const [answer] = (await once(socket, "data")) as [Buffer];
    // A SETTINGS frame (RFC 9113 § 6.5) or a status line.
    if (first === "PRI") expect(answer[3]).toBe(4);
    else expect(answer.toString()).toMatch(/^HTTP\/1\.1 200/);
    socket.destroy();
  });

  it("lets go of connections that have said nothing when it closes", async () => {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    const gone = once(socket, "close");
    server.close();
    server.closeAllConnections();
    await gone;
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });
});
