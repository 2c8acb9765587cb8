/** The environment variables that override the config file: their names and the key that each sets. */
export const VARIABLES = {
  PATCHROOM_BIND: { key: ['network', 'bind'], type: 'text' },
  PATCHROOM_ANNOUNCE: { key: ['network', 'announce'], type: 'text' },
  PATCHROOM_HTTP_PORT: { key: ['http', 'port'], type: 'number' },
  PATCHROOM_WEBRTC_PORT: { key: ['webrtc', 'port'], type: 'number' },
  PATCHROOM_SIP_PORT: { key: ['sip', 'port'], type: 'number' },
  PATCHROOM_RTMP_PORT: { key: ['rtmp', 'port'], type: 'number' },
  PATCHROOM_HUB_WORKERS: { key: ['workers', 'hubs'], type: 'number' },
  PATCHROOM_MEDIA_WORKERS: { key: ['workers', 'media'], type: 'number' },
  PATCHROOM_LOG_LEVEL: { key: ['log', 'level'], type: 'text' },
} as const satisfies Record<string, { key: readonly string[]; type: 'text' | 'number' }>;

/** Read elsewhere: which config file, and the set-up's cache folder. */
const OTHERS = ['PATCHROOM_CONFIG', 'PATCHROOM_CACHE'];

export interface Override {
  readonly variable: string;
  readonly key: readonly string[];
  readonly value: string | number;
}

/** @returns the overrides in force, and the names that look like ours but are not */
export function readEnvironment(environment: NodeJS.ProcessEnv): {
  overrides: Override[];
  unknown: string[];
} {
  const overrides: Override[] = [];
  const unknown: string[] = [];
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith('PATCHROOM_') || OTHERS.includes(variable) || text === undefined) continue;
    const known = Object.hasOwn(VARIABLES, variable)
      ? VARIABLES[variable as keyof typeof VARIABLES]
      : undefined;
    if (!known) unknown.push(variable);
    // An empty text is no number: left as it is, for the schema to refuse.
    else
      overrides.push({
        variable,
        key: known.key,
        value: known.type === 'number' && text.trim() ? Number(text) : text,
      });
  }
  return { overrides, unknown };
}
