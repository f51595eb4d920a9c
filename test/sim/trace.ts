/**
 * What happened, as one number: every step of a run is folded into a 64-bit hash, so that two runs of
 * one seed can be compared step by step. With a printer it also says each step in words.
 */

export class Trace {
  #low = 0x811c9dc5;
  #high = 0x9747b28c;
  readonly #labels = new Map<string, number>();
  readonly #print: ((line: string) => void) | null;

  constructor(print: ((line: string) => void) | null = null) {
    this.#print = print;
  }

  get printing(): boolean {
    return this.#print !== null;
  }

  note(timeUs: number, node: number, label: string, a = 0, b = 0, c = 0): void {
    this.#fold(timeUs | 0);
    this.#fold((node << 16) ^ this.#code(label));
    this.#fold(a | 0);
    this.#fold(b | 0);
    this.#fold(c | 0);
  }

  /** Words for the reader of a trace; they are not part of the hash. */
  say(timeUs: number, node: number, words: () => string): void {
    if (this.#print === null) return;
    const ms = (timeUs / 1000).toFixed(3).padStart(10);
    this.#print(`${ms} ms  n${node}  ${words()}`);
  }

  hash(): string {
    const hex = (part: number): string => (part >>> 0).toString(16).padStart(8, '0');
    return hex(this.#high) + hex(this.#low);
  }

  #fold(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x01000193);
    this.#high = (Math.imul(this.#high ^ this.#low, 0x85ebca6b) + value) | 0;
    this.#high ^= this.#high >>> 13;
  }

  #code(label: string): number {
    const known = this.#labels.get(label);
    if (known !== undefined) return known;
    let code = 0x811c9dc5;
    for (let i = 0; i < label.length; i++) code = Math.imul(code ^ label.charCodeAt(i), 0x01000193);
    this.#labels.set(label, code);
    return code;
  }
}
