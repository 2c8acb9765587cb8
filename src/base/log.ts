import pino from 'pino';

export type Logger = pino.Logger;

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * JSON lines on stderr, one event each; standard output is for people. Secrets never belong in a log
 * line; the fields that could carry one are cut out all the same.
 */
export function createLogger(level: LogLevel): Logger {
  return pino(
    {
      level,
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: ['token', 'secret', '*.token', '*.secret', '*.credential'], censor: '***' },
    },
    pino.destination({ fd: 2, sync: false }),
  );
}
