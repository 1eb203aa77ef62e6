/** A change that can be taken back, with the words that the menu shows: "Undo Move Desk camera". */
interface Step<Value> {
  readonly before: Value;
  readonly after: Value;
  readonly label: string;
  /** Changes in a row with the same key are one step, such as those of one drag. */
  readonly gesture: string | undefined;
}

/** Older steps are forgotten. Values share what did not change, so a step costs little. */
const MAX_STEPS = 500;

/** Undo and redo over immutable values. */
export class History<Value> {
  #value: Value;
  #past: Step<Value>[] = [];
  #future: Step<Value>[] = [];

  constructor(value: Value) {
    this.#value = value;
  }

  get value(): Value {
    return this.#value;
  }

  /** What undo would take back; undefined where there is nothing. */
  get undoLabel(): string | undefined {
    return this.#past.at(-1)?.label;
  }

  get redoLabel(): string | undefined {
    return this.#future.at(-1)?.label;
  }

  /**
   * Makes `after` the value. Nothing happens where it is the value already.
   * @param gesture joins this change to the one before it where that had the same.
   */
  change(after: Value, label: string, gesture?: string): void {
    if (after === this.#value) return;
    const last = this.#past.at(-1);
    if (gesture !== undefined && last?.gesture === gesture) {
      this.#past[this.#past.length - 1] = { ...last, after };
    } else {
      this.#past.push({ before: this.#value, after, label, gesture });
      if (this.#past.length > MAX_STEPS) this.#past.shift();
    }
    this.#future = [];
    this.#value = after;
  }

  /** The next change is a step of its own, whatever its gesture: the mouse button was let go. */
  endGesture(): void {
    const last = this.#past.at(-1);
    if (last?.gesture !== undefined) this.#past[this.#past.length - 1] = { ...last, gesture: undefined };
  }

  /** @returns whether there was anything to take back. */
  undo(): boolean {
    const step = this.#past.pop();
    if (step === undefined) return false;
    this.#future.push({ ...step, gesture: undefined });
    this.#value = step.before;
    return true;
  }

  /** @returns whether there was anything to do again. */
  redo(): boolean {
    const step = this.#future.pop();
    if (step === undefined) return false;
    this.#past.push(step);
    this.#value = step.after;
    return true;
  }

  /** Replaces the value without a step and forgets all steps: another document was opened. */
  reset(value: Value): void {
    this.#value = value;
    this.#past = [];
    this.#future = [];
  }
}
