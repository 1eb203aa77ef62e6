export * from "./access-unit.ts";
