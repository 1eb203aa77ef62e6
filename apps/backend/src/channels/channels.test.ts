import { ManualClock } from "@klieg/base";
import { DEFAULT_INGEST_PROFILE, KliegError } from "@klieg/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SqliteRepositories } from "../adapters/sqlite/sqlite-repositories.ts";
import { Channels } from "./channels.ts";
import { StreamKeySigner } from "./stream-key.ts";

const secret = new Uint8Array(32).fill(7);

async function channelsOver(repositories: SqliteRepositories): Promise<Channels> {
  return new Channels({ repositories, signer: new StreamKeySigner(secret), clock: new ManualClock() });
}
async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof KliegError ? error.code : "no error";
}

describe("ING4: stream keys", () => {
  it("admits a key to its own channel", async () => {
    await using repositories = await SqliteRepositories.open(":memory:");
    const channels = await channelsOver(repositories);
    await channels.create("lamp-lab", "Lamp Lab");
    const { text, record } = await channels.issueKey("lamp-lab", "studio");
    expect(text).toMatch(/^lamp-lab_/);
    const admission = await channels.admit(text);
    expect(admission.channel).toMatchObject({ name: "lamp-lab", profile: DEFAULT_INGEST_PROFILE });
    expect(admission.keyId).toBe(record.id);
  });

  it("refuses missing, forged, foreign and revoked keys, each with its code", async () => {
    await using repositories = await SqliteRepositories.open(":memory:");
    const channels = await channelsOver(repositories);
    await channels.create("a", "A");
    await channels.create("b", "B");
    const { text, record } = await channels.issueKey("a", "");
    const forged = new StreamKeySigner(new Uint8Array(32).fill(8)).issue("a").text;
    expect(await codeOf(channels.admit(""))).toBe("stream_key_missing");
    expect(await codeOf(channels.admit("nonsense"))).toBe("stream_key_invalid");
    expect(await codeOf(channels.admit("x".repeat(5000)))).toBe("stream_key_invalid");
    expect(await codeOf(channels.admit(forged))).toBe("stream_key_invalid");
    expect(await codeOf(channels.admit(text.replace(/^a_/, "b_")))).toBe("stream_key_invalid");
    const put: string[] = [];
    channels.events.on("keyRevoked", ({ keyId }) => put.push(keyId));
    await channels.revokeKey("a", record.id);
    expect(await codeOf(channels.admit(text))).toBe("stream_key_revoked");
    expect(put).toEqual([record.id]);
  });

  it("no change of a character leaves a key valid", async () => {
    await using repositories = await SqliteRepositories.open(":memory:");
    const channels = await channelsOver(repositories);
    await channels.create("a", "A");
    const { text } = await channels.issueKey("a", "");
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 1), fc.constantFrom(..."abcdef0123456789_-Z"), async (at, character) => {
        const changed = text.slice(0, at) + character + text.slice(at + 1);
        if (changed !== text) expect(await codeOf(channels.admit(changed))).toBe("stream_key_invalid");
      }),
    );
  });

  it("makes the first channel and key once, and takes a key that the operator chose", async () => {
    await using repositories = await SqliteRepositories.open(":memory:");
    const channels = await channelsOver(repositories);
    const first = await channels.bootstrap("demo", undefined);
    expect(first.created).toBe(true);
    expect((await channels.admit(first.keyText ?? "")).channel.name).toBe("demo");
    expect(await channels.bootstrap("demo", undefined)).toEqual({ created: false, keyText: undefined });
    await channels.bootstrap("demo", "my-own-key-1");
    await channels.bootstrap("demo", "my-own-key-1");
    expect((await channels.admit("my-own-key-1")).channel.name).toBe("demo");
    expect(await codeOf(channels.bootstrap("other", "my-own-key-1"))).toBe("conflict");
    expect(await channels.keysOf("demo")).toHaveLength(2);
  });
});
