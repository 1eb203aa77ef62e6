import { expect, test } from "vitest";
import { navigationVerdict } from "./navigation-policy.ts";

test("the page stays in the app, web pages go to the browser, nothing else is opened (SEC5)", () => {
  expect(navigationVerdict("klieg://studio/")).toBe("app");
  expect(navigationVerdict("https://klieg.example/watch/demo")).toBe("browser");
  expect(navigationVerdict("http://192.168.1.20:8080/watch/demo")).toBe("browser");
  for (const address of [
    "klieg://room/abc",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "data:text/html,x",
    "blob:klieg://studio/1",
    "smb://server/share",
    "ms-settings:privacy",
    "vscode://file/x",
    "https://bank.example@evil.example/",
    "https://user:secret@evil.example/",
    `https://long.example/${"a".repeat(3000)}`,
    "//evil.example",
    "",
  ]) {
    expect(navigationVerdict(address), address).toBe("deny");
  }
});
