import { expect, test } from "vitest";
import { permissionGranted } from "./permission-policy.ts";

const OWN = { address: "klieg://studio/", top: true };

test("the app's page may capture, and nothing that a studio has no use for (SEC5)", () => {
  for (const permission of ["media", "display-capture", "fullscreen"]) {
    expect(permissionGranted(permission, OWN)).toBe(true);
  }
  for (const permission of [
    "geolocation",
    "midi",
    "hid",
    "serial",
    "usb",
    "openExternal",
    "notifications",
    "unknown",
  ]) {
    expect(permissionGranted(permission, OWN)).toBe(false);
  }
});

test("no other page may, nor a frame within the app's own (SEC5)", () => {
  expect(permissionGranted("media", { ...OWN, top: false })).toBe(false);
  expect(permissionGranted("media", { address: "https://studio/", top: true })).toBe(false);
  expect(permissionGranted("media", { address: "", top: true })).toBe(false);
});
