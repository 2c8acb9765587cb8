/** A metrics page in Prometheus's text format (version 0.0.4), read. */
export interface Exposition {
  /** By name. */
  readonly types: ReadonlyMap<string, string>;
  /** By name and labels as they stand: `rooms` or `tracks{kind="audio"}`. */
  readonly values: ReadonlyMap<string, number>;
  /** Names of all labels of a metric. */
  labelsOf(name: string): string[];
}

/** @throws Error at a line that is not of the format */
export function readExposition(text: string): Exposition {
  const types = new Map<string, string>();
  const values = new Map<string, number>();
  for (const line of text.split('\n')) {
    const type = /^# TYPE (\S+) (counter|gauge|histogram|summary)$/.exec(line);
    const value = /^([a-zA-Z_:][\w:]*(?:\{.*\})?) (\S+)$/.exec(line);
    if (type) types.set(type[1]!, type[2]!);
    else if (value && Number.isFinite(Number(value[2]))) values.set(value[1]!, Number(value[2]));
    else if (line !== '' && !line.startsWith('# HELP ') && !line.endsWith(' Nan')) throw new Error(line);
  }
  return {
    types,
    values,
    labelsOf(name) {
      const series = [...values.keys()].filter((key) => key.startsWith(`${name}{`));
      return [
        ...new Set(series.flatMap((key) => [...key.matchAll(/[{,](\w+)="/g)].map(([, label]) => label!))),
      ];
    },
  };
}
