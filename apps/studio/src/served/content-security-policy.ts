/**
 * What the studio's page may load and speak to (SEC5). Everything it shows and runs is its own. It speaks to the backends that its user
 * entered, whose addresses nobody knows before: rooms by WebSocket, media by WebRTC.
 */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  // WebAssembly: noise suppression and segmentation are compiled code.
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self' blob:",
  // Positions and colours of what the user lays out are style attributes.
  "style-src 'self' 'unsafe-inline'",
  "font-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' data: blob:",
  "connect-src 'self' https: wss: http: ws:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");
