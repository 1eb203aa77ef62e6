/** A channel's sign until it has a picture of its own: its first letter, in a hue that its name decides. */
export function ChannelAvatar({ name }: { name: string }) {
  return (
    <span className="avatar" aria-hidden="true" style={{ "--hue": hueOf(name) }}>
      {name.slice(0, 1).toUpperCase()}
    </span>
  );
}

/** Degrees, the same for the same name; away from the red of "on air" and the amber of the one accent. */
export function hueOf(name: string): number {
  let hash = 2166136261;
  for (const character of name) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16777619);
  return 130 + ((hash >>> 0) % 200);
}
