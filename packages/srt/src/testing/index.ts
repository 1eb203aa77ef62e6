export { LossyRelay } from "./lossy-relay.ts";
export { MemoryNetwork } from "./memory-network.ts";
