import { useEffect, useRef } from "react";

/** A name that is being typed in place. Enter and leaving the field keep it, Escape does not. */
export function NameField(props: {
  readonly label: string;
  readonly name: string;
  readonly onDone: (name: string | undefined) => void;
}) {
  const { label, name, onDone } = props;
  const input = useRef<HTMLInputElement>(null);
  const done = useRef(false);
  useEffect(() => input.current?.select(), []);
  const finish = (keep: boolean) => {
    if (done.current) return;
    done.current = true;
    const typed = input.current?.value.trim() ?? "";
    onDone(keep && typed !== "" && typed !== name ? typed : undefined);
  };
  return (
    <input
      ref={input}
      className="input name-field"
      aria-label={label}
      defaultValue={name}
      maxLength={80}
      // biome-ignore lint/a11y/noAutofocus: renaming was just asked for, and the field is where the name was.
      autoFocus
      onBlur={() => finish(true)}
      onClick={(event) => event.stopPropagation()}
      onPointerDown={(event) => event.stopPropagation()}
      onKeyDown={(event) => {
        event.stopPropagation();
        if (event.key === "Enter") finish(true);
        else if (event.key === "Escape") finish(false);
      }}
    />
  );
}
