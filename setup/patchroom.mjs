#!/usr/bin/env node
// The command line, by whatever Node is there: ./patchroom in the project's root is a link to this file, for Node
// before 24 does not run modules whose names have no ending.
process.argv.splice(2, 0, 'patchroom');
await import('./main.mjs');
