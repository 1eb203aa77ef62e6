import { appendStoreContract } from "../ports/append-store.contract.ts";
import { MemoryAppendStore } from "./memory-append-store.ts";

appendStoreContract("memory", async () => new MemoryAppendStore());
