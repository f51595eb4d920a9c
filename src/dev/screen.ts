/**
 * Shows the running cluster: in a terminal as one screen that is drawn again in place, elsewhere as
 * a line every few seconds.
 */
import { line, table, type NodeRow } from './picture.ts';

const TERMINAL_INTERVAL_MS = 1_000;
const LINE_INTERVAL_MS = 5_000;

const CLEAR = '\u001b[H\u001b[2J';
const ALTERNATE_ON = '\u001b[?1049h\u001b[?25l';
const ALTERNATE_OFF = '\u001b[?1049l\u001b[?25h';

export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export class Screen {
  readonly #output: Output;
  readonly #read: () => Promise<readonly NodeRow[]>;
  readonly #footer: readonly string[];
  #timer: NodeJS.Timeout | undefined;
  #shown = false;

  /** `footer`: what a user may want to copy; stands below the table. */
  constructor(output: Output, read: () => Promise<readonly NodeRow[]>, footer: readonly string[]) {
    this.#output = output;
    this.#read = read;
    this.#footer = footer;
  }

  /** Resolves after the first picture. */
  async show(): Promise<void> {
    this.#shown = true;
    if (this.#output.isTTY) this.#output.write(ALTERNATE_ON);
    else this.#output.write(`${this.#footer.join('\n')}\n`);
    await this.#draw();
  }

  /** Leaves the terminal as it was. */
  close(): void {
    clearTimeout(this.#timer);
    if (this.#shown && this.#output.isTTY) this.#output.write(ALTERNATE_OFF);
    this.#shown = false;
  }

  async #draw(): Promise<void> {
    const rows = await this.#read();
    if (!this.#shown) return;
    this.#output.write(this.#output.isTTY ? this.#page(rows) : `${line(rows)}\n`);
    const interval = this.#output.isTTY ? TERMINAL_INTERVAL_MS : LINE_INTERVAL_MS;
    this.#timer = setTimeout(() => void this.#draw(), interval);
  }

  /** Rows are cut at the terminal's edge; the footer may wrap, so that it can be copied whole. */
  #page(rows: readonly NodeRow[]): string {
    // A terminal that was not told its width says 0.
    const columns = this.#output.columns || 120;
    const cut = table(rows).map((text) => text.slice(0, columns));
    return `${CLEAR}${[...cut, '', ...this.#footer].join('\n')}\n`;
  }
}
