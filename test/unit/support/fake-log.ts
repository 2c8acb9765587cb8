/** Keeps all that is logged, as text. */
export class FakeLog {
  #lines: string[];
  #fields: object;

  constructor(lines: string[] = [], fields: object = {}) {
    this.#lines = lines;
    this.#fields = fields;
  }

  get text(): string {
    return this.#lines.join('\n');
  }

  child(fields: object): FakeLog {
    return new FakeLog(this.#lines, { ...this.#fields, ...fields });
  }

  debug = (...said: unknown[]) => this.#add(said);
  info = (...said: unknown[]) => this.#add(said);
  warn = (...said: unknown[]) => this.#add(said);
  error = (...said: unknown[]) => this.#add(said);

  #add(said: unknown[]): void {
    const words = said.map((one) =>
      JSON.stringify(one, (_, value) =>
        value instanceof Error ? `${value.stack} ${JSON.stringify(value.cause)}` : value,
      ),
    );
    this.#lines.push(`${JSON.stringify(this.#fields)} ${words.join(' ')}`);
  }
}
