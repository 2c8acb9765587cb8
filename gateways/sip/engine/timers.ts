/** Intervals of RFC 3261, appendix A (table 4), in ms. */
export const T1_MS = 500;
export const T2_MS = 4_000;
export const T4_MS = 5_000;

/** How long a server waits for the application before it says 100 Trying by itself (section 17.2.1). */
export const TRYING_MS = 200;
