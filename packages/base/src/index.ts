export * from "./address-block.ts";
export * from "./clock.ts";
export * from "./closable.ts";
export * from "./emitter.ts";
