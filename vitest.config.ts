import { defineConfig } from 'vitest/config';

/** Unit tests run side by side; everything with real processes and sockets runs one file at a time. */
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 10_000 } },
      {
        test: {
          name: 'system',
          include: ['test/{contract,integration,e2e}/**/*.test.ts'],
          testTimeout: 90_000,
          hookTimeout: 90_000,
          fileParallelism: false,
          // How long something takes to come about says nothing about whether it does.
          expect: { poll: { timeout: 30_000 } },
        },
      },
    ],
  },
});
