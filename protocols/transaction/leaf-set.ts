/**
 * What the state remembers besides the rows of modules: items in the order of their keys, each of which is a
 * leaf of the state tree while it says something.
 */
import { Frozen, type RowOf } from './frozen.ts';
import { KeyOrder } from './key-order.ts';
import type { StateTree } from './state-tree.ts';

export interface LeafItem {
  /** By which it is ordered. */
  readonly key: string;
  /** 0 while it has none. */
  leaf: number;
  changed: boolean;
}

export class LeafSet<Item extends LeafItem> {
  readonly table: string;
  readonly #nameOf: (item: Item) => string;
  readonly #rowOf: RowOf<Item>;
  readonly #order = new KeyOrder<Item>();
  #changed: Item[] = [];
  #frozen: Frozen<Item> | null = null;

  /**
   * @param nameOf the key of its row in the state tree
   * @param rowOf what an item says; it goes with the next `flush` when that is nothing
   */
  constructor(table: string, nameOf: (item: Item) => string, rowOf: RowOf<Item>) {
    this.table = table;
    this.#nameOf = nameOf;
    this.#rowOf = rowOf;
  }

  /** A new item, which says nothing yet. */
  add(item: Item): void {
    this.#order.add(item);
  }

  /** `item` is about to change. */
  change(item: Item): void {
    if (item.changed) return;
    this.#frozen?.changes(item);
    item.changed = true;
    this.#changed.push(item);
  }

  /** Puts what changed since the last call into the tree. `gone` is told of each item that went. */
  flush(tree: StateTree, gone: (item: Item) => void): void {
    for (const item of this.#changed) {
      item.changed = false;
      const row = this.#rowOf(item);
      if (row !== undefined) {
        item.leaf ||= tree.create(this.table, this.#nameOf(item));
        tree.row().value(row);
        tree.put(item.leaf);
        continue;
      }
      if (item.leaf !== 0) tree.remove(item.leaf);
      item.leaf = 0;
      this.#order.remove(item.key);
      this.#frozen?.left(item);
      gone(item);
    }
    this.#changed = [];
  }

  /** The items as they are now, while they change on. Nothing must have changed since the last `flush`. */
  freeze(): Frozen<Item> {
    return (this.#frozen = new Frozen(this.#order, this.#rowOf));
  }

  /** Nothing is read any more of what `freeze` gave. */
  thaw(): void {
    this.#frozen = null;
  }
}
