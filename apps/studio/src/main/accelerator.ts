const NAMED: ReadonlyMap<string, string> = new Map(
  Object.entries({
    Space: "Space",
    Tab: "Tab",
    Enter: "Return",
    Escape: "Escape",
    Backspace: "Backspace",
    Delete: "Delete",
    Insert: "Insert",
    Home: "Home",
    End: "End",
    PageUp: "PageUp",
    PageDown: "PageDown",
    ArrowUp: "Up",
    ArrowDown: "Down",
    ArrowLeft: "Left",
    ArrowRight: "Right",
    Minus: "-",
    Equal: "=",
    BracketLeft: "[",
    BracketRight: "]",
    Backslash: "\\",
    Semicolon: ";",
    Quote: "'",
    Comma: ",",
    Period: ".",
    Slash: "/",
    Backquote: "`",
    NumpadAdd: "numadd",
    NumpadSubtract: "numsub",
    NumpadMultiply: "nummult",
    NumpadDivide: "numdiv",
    NumpadDecimal: "numdec",
    MediaPlayPause: "MediaPlayPause",
    MediaStop: "MediaStop",
    MediaTrackNext: "MediaNextTrack",
    MediaTrackPrevious: "MediaPreviousTrack",
  }),
);

const MODIFIERS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    Control: "Control",
    Shift: "Shift",
    Alt: "Alt",
    Meta: "Super",
  }),
);

/**
 * A key of the settings (`KeyboardEvent.code` with modifiers: `Control+Shift+KeyL`) as Electron writes it (`Control+Shift+L`).
 * @returns undefined where Electron has no name for it.
 */
export function acceleratorOf(key: string): string | undefined {
  const parts = key.split("+");
  const code = parts.pop() ?? "";
  const modifiers = parts.map((name) => MODIFIERS.get(name));
  const plain =
    NAMED.get(code) ??
    /^Key([A-Z])$/.exec(code)?.[1] ??
    /^Digit([0-9])$/.exec(code)?.[1] ??
    /^(F(?:[1-9]|1[0-9]|2[0-4]))$/.exec(code)?.[1] ??
    /^Numpad([0-9])$/.exec(code)?.[1]?.replace(/^/, "num");
  if (plain === undefined || modifiers.includes(undefined)) return undefined;
  return [...modifiers, plain].join("+");
}

/**
 * Whether the key may be taken from every other program: a bare letter would be missing wherever the user types. Function and media
 * keys may stand alone.
 */
export function mayBeGlobal(key: string): boolean {
  return /^(Shift\+)?(F[0-9]{1,2}|Media[A-Za-z]+)$/.test(key) || /(Control|Alt|Meta)\+/.test(key);
}
