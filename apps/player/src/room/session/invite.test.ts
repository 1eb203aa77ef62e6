import { describe, expect, it } from "vitest";
import { inviteOf } from "./invite.ts";

const token = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.signature`;

describe("an invite in the address (RTC2)", () => {
  it("says what its token says", () => {
    const given = token({ role: "speaker", exp: 1_800_000_000, name: "ünïcode ÿ?>" });
    expect(inviteOf(`#invite=${given}`)).toEqual({ token: given, role: "speaker", expiresAt: 1_800_000_000_000 });
    expect(inviteOf(`#panel=x&invite=${given}`)?.token).toBe(given);
  });

  it.each(["", "#", "#invite=", "#other=1"])("is missing in %j", (hash) => expect(inviteOf(hash)).toBeNull());

  it.each([
    "garbage",
    "a.b.c",
    "a.%%%.c",
    `e30.${Buffer.from("null").toString("base64url")}.s`,
    token({ role: "king", exp: "soon" }),
  ])("leaves a mistyped one to the server: %s", (given) =>
    expect(inviteOf(`#invite=${encodeURIComponent(given)}`)).toEqual({ token: given, role: null, expiresAt: null }),
  );
});
