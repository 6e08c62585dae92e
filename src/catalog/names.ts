/** The code of an item that has no name of a kind. @internal */
export const noName = 0xffffffff;

/** Numbers the distinct names of a batch. @internal */
export class Names {
  readonly list: string[] = [];
  readonly #codes = new Map<unknown, number>();
  readonly #lastItems: number[] = [];

  /** What was never added is not found, whatever it is. */
  find(name: unknown): number | undefined {
    return this.#codes.get(name);
  }

  /** Adds a name that was not found. */
  add(name: string): number {
    const code = this.list.length;
    this.list.push(name);
    this.#lastItems.push(-1);
    this.#codes.set(name, code);
    return code;
  }

  /** Whether an item has the name for the first time; items come one after another. */
  isFirstIn(code: number, item: number): boolean {
    if (this.#lastItems[code] === item) return false;
    this.#lastItems[code] = item;
    return true;
  }
}
