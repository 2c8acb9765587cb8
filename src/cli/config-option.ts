import { loadConfig } from '../../config/load.ts';
import type { Config } from '../../config/schema.ts';
import { CommandError, type Given, type Option } from './command.ts';
import type { Terminal } from './terminal.ts';

export const CONFIG_OPTION: Option = {
  value: 'FILE',
  text: 'the configuration (or PATCHROOM_CONFIG); without one, demo mode: this machine only',
};

export const KEY_OPTION: Option = {
  value: 'NAME',
  text: "the API key to sign with; without it, the configuration's first",
};

/** @throws ConfigError */
export function givenConfig(given: Given, { environment }: Terminal): Config {
  return loadConfig(given.text('config') ?? environment.PATCHROOM_CONFIG, environment);
}

/** The API key to sign tokens with, and its secret. @throws CommandError when there is none of that name */
export function signingKey({ api }: Config, name?: string): { key: string; secret: string } {
  const names = Object.keys(api.keys);
  const key = name ?? names[0]!;
  if (!Object.hasOwn(api.keys, key)) {
    throw new CommandError(`There is no API key "${key}" in the configuration. It has: ${names.join(', ')}.`);
  }
  return { key, secret: api.keys[key]! };
}
