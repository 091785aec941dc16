/** Runs what it is given in order: at once while nothing waits, else after what waits. */
export class Ordered {
  #tail: Promise<unknown> | null = null;
  #generation = 0;

  /** Runs `operation`; when it returns a promise, later ones wait for it. An operation's failure holds nothing up. */
  run(operation: () => unknown): void {
    if (!this.#tail) {
      const result = operation();
      if (result instanceof Promise) this.#wait(result);
      return;
    }
    const generation = this.#generation;
    this.#wait(this.#tail.then(() => (generation === this.#generation ? operation() : undefined)));
  }

  /** Forgets what has not run yet. */
  clear(): void {
    this.#generation++;
    this.#tail = null;
  }

  #wait(promise: Promise<unknown>): void {
    const tail = promise.then(
      () => {},
      () => {},
    ).then(() => {
      if (this.#tail === tail) this.#tail = null;
    });
    this.#tail = tail;
  }
}
