import { describe, expect, it } from "vitest";
import { routeOf } from "./router.ts";

describe("routes (PLY3)", () => {
  it.each([
    ["/", "", { page: "home" }],
    ["/watch/lamp-lab", "", { page: "watch", channel: "lamp-lab" }],
    ["/watch/Lamp-Lab/", "", { page: "watch", channel: "lamp-lab" }],
    ["/watch/demo", "?preview=s3cret-T0ken", { page: "watch", channel: "demo", preview: "s3cret-T0ken" }],
    ["/watch/demo", "?preview=", { page: "watch", channel: "demo" }],
    ["/embed/demo", "", { page: "embed", channel: "demo", autoplay: false, muted: false }],
    ["/embed/demo", "?autoplay=1&muted=true", { page: "embed", channel: "demo", autoplay: true, muted: true }],
    ["/embed/demo", "autoplay=0&muted", { page: "embed", channel: "demo", autoplay: false, muted: true }],
    ["/room/k3v9x2m8q4t7", "", { page: "room", room: "k3v9x2m8q4t7" }],
    ["/room", "", { page: "none" }],
    ["/watch", "", { page: "none" }],
    ["/watch/a/b", "", { page: "none" }],
    ["/watch/%E0%A4%A", "", { page: "none" }],
    ["/elsewhere", "", { page: "none" }],
  ])("%s%s", (path, search, route) => expect(routeOf(path, search)).toEqual(route));
});
