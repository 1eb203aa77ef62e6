import { strings } from "../strings.ts";

export function Brand() {
  return (
    <h1 className="brand">
      <i className="lamp" aria-hidden="true" />
      {strings.shell.brand}
    </h1>
  );
}
