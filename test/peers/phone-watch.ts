/** Lets several wait until something has come to be; whoever changes anything says so with `changed`. */
export class Watch {
  #checks = new Set<() => void>();

  changed(): void {
    for (const check of this.#checks) check();
  }

  /**
   * Resolves with what `found` gives as soon as that is neither undefined nor false.
   *
   * @param limitMs - after so long it rejects, with what `otherwise` says was there instead
   * @throws what `found` throws
   */
  until<T>(found: () => T | undefined | false, limitMs: number, otherwise: () => string): Promise<T> {
    const failure = new Error(); // made here, so that it says who waited
    return new Promise((resolve, reject) => {
      const done = () => {
        this.#checks.delete(check);
        clearTimeout(timer);
      };
      const check = () => {
        try {
          const value = found();
          if (value === undefined || value === false) return;
          done();
          resolve(value);
        } catch (error) {
          done();
          reject(error);
        }
      };
      const timer = setTimeout(() => {
        done();
        failure.message = `After ${limitMs} ms: ${otherwise()}`;
        reject(failure);
      }, limitMs);
      this.#checks.add(check);
      check();
    });
  }
}
