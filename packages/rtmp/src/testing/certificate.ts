import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A fresh self-signed certificate for 127.0.0.1, PEM. */
export function certificate(): { cert: Buffer; key: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), "klieg-rtmp-"));
  try {
    const request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -days 2";
    execFileSync(
      "openssl",
      [...request.split(" "), "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key", "-out", "cert"],
      {
        cwd: folder,
        stdio: "ignore",
      },
    );
    return { cert: readFileSync(join(folder, "cert")), key: readFileSync(join(folder, "key")) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
