import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ClientHandshake, type Handshake, ServerHandshake } from "./handshake.ts";
import { findDigest, HANDSHAKE_KEYS, HANDSHAKE_LENGTH } from "./handshake-digest.ts";
import { RtmpProtocolError } from "./rtmp-error.ts";

/** Runs both ends against each other, moving `step` bytes at a time. */
function meet(client: ClientHandshake, server: Handshake, step: number): void {
  const toServer: Buffer[] = [];
  const toClient: Buffer[] = [];
  client.begin((bytes) => toServer.push(bytes));
  const deliver = (queue: Buffer[], end: Handshake, answers: Buffer[]) => {
    const data = Buffer.concat(queue.splice(0));
    for (let at = 0; at < data.length; at += step) {
      const piece = data.subarray(at, at + step);
      expect(end.push(piece, 0, (bytes) => answers.push(bytes))).toBe(piece.length);
    }
  };
  while (toServer.length + toClient.length > 0) {
    deliver(toServer, server, toClient);
    deliver(toClient, client, toServer);
  }
}

describe("handshake (ING1)", () => {
  test.each([
    { name: "simple", options: { digest: false }, kind: "simple" },
    { name: "digest, scheme 0", options: { digest: true, scheme: 0 as const }, kind: "digest" },
    { name: "digest, scheme 1", options: { digest: true, scheme: 1 as const }, kind: "digest" },
  ])("$name", ({ options, kind }) => {
    for (const step of [1, 100, 1537, 4096]) {
      const client = new ClientHandshake(options);
      const server = new ServerHandshake();
      meet(client, server, step);
      expect({ client: client.done, server: server.done }).toEqual({ client: true, server: true });
      expect(client.kind).toBe(kind);
      expect(server.kind).toBe(kind);
    }
  });

  test("leaves what follows it alone", () => {
    const server = new ServerHandshake();
    const data = Buffer.concat([Buffer.of(3), Buffer.alloc(2 * HANDSHAKE_LENGTH), Buffer.from("rest")]);
    const offset = server.push(data, 0, () => undefined);
    expect(data.toString("latin1", offset)).toBe("rest");
  });

  test("a wrong digest is answered with the simple handshake, which repeats C1", () => {
    const c1 = Buffer.alloc(HANDSHAKE_LENGTH, 7);
    const server = new ServerHandshake();
    const answers: Buffer[] = [];
    server.push(Buffer.concat([Buffer.of(3), c1]), 0, (bytes) => answers.push(bytes));
    const answer = Buffer.concat(answers);
    expect(server.kind).toBe("simple");
    expect(answer[0]).toBe(3);
    expect(answer.readUInt32BE(5)).toBe(0);
    expect(answer.subarray(1 + HANDSHAKE_LENGTH)).toEqual(c1);
  });

  test("a digest client speaks simply with a server that does", () => {
    const client = new ClientHandshake({ digest: true });
    const sent: Buffer[] = [];
    client.begin((bytes) => sent.push(bytes));
    const s1 = Buffer.alloc(HANDSHAKE_LENGTH, 9);
    client.push(Buffer.concat([Buffer.of(3), s1, Buffer.alloc(HANDSHAKE_LENGTH)]), 0, (bytes) => sent.push(bytes));
    expect(client.done).toBe(true);
    expect(client.kind).toBe("simple");
    expect(sent[1]).toEqual(s1);
  });

  test("a digest server that answers wrongly is refused", () => {
    const client = new ClientHandshake({ digest: true });
    const server = new ServerHandshake();
    let toServer = Buffer.alloc(0);
    client.begin((bytes) => {
      toServer = Buffer.from(bytes);
    });
    const answers: Buffer[] = [];
    server.push(toServer, 0, (bytes) => answers.push(bytes));
    const answer = Buffer.concat(answers);
    expect(findDigest(answer.subarray(1, 1 + HANDSHAKE_LENGTH), HANDSHAKE_KEYS.server.short)?.scheme).toBe(0);
    answer[answer.length - 1] = (answer[answer.length - 1] as number) ^ 1;
    expect(() => client.push(answer, 0, () => undefined)).toThrow(RtmpProtocolError);
  });

  test("other versions are refused at their first byte, RTMPE by name", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 255 }), (version) => {
        fc.pre(version !== 3);
        const push = () => new ServerHandshake().push(Buffer.of(version), 0, () => undefined);
        expect(push).toThrow(RtmpProtocolError);
        if (version === 6) expect(push).toThrow(/RTMPE/);
      }),
    );
  });
});
