import { z } from 'zod';

// The page's content security policy forbids evaluating code, which zod would try for speed. Imported
// before anything that makes a schema.
z.config({ jitless: true });
