import { z } from 'zod';

/** A schema as an OpenAPI document has it. */
export function jsonSchema(schema: z.ZodType): object {
  const { $schema, ...rest } = z.toJSONSchema(schema);
  return rest;
}
