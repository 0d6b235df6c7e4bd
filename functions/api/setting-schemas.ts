// The settings of a session limit and of a deployment, as the reference shows them: made from their declarations.

import { z } from '@hono/zod-openapi';
import {
  deploymentSettings,
  limitSettings,
  type Setting,
  type Settings,
  type ValueOf,
} from '../../shared/domain/settings.ts';

/** As JSON has it: a number without its unit. */
type Sent<S> = ValueOf<S> extends number ? number : ValueOf<S>;

type SchemaOf<S> = z.ZodType<Sent<S>, Sent<S>>;

type Shape<S extends Settings> = { readonly [Name in keyof S]: SchemaOf<S[Name]> };
type Optional<S> = { readonly [Name in keyof S]: S[Name] extends z.ZodType ? z.ZodOptional<S[Name]> : never };
type Defaulted<S> = { readonly [Name in keyof S]: S[Name] extends z.ZodType ? z.ZodDefault<S[Name]> : never };

export const ofLimit = shapesOf(limitSettings);
export const ofDeployment = shapesOf(deploymentSettings);

export function shapesOf<S extends Settings>(settings: S) {
  return {
    /** An answer holds all of them. */
    all: shapeOf(settings, (schema) => schema) as Shape<S>,
    /** A change holds some of them. */
    some: shapeOf(settings, (schema) => schema.optional()) as Optional<Shape<S>>,
    /** A whole gets the default of what it leaves out. */
    whole: shapeOf(settings, (schema, setting) => schema.default(setting.default)) as Defaulted<Shape<S>>,
  };
}

function shapeOf(settings: Settings, wrap: (schema: z.ZodType, setting: Setting) => z.ZodType) {
  const schemas = Object.entries(settings).map(([name, setting]) => [name, wrap(schemaOf(setting), setting)] as const);
  return Object.fromEntries(schemas);
}

function schemaOf(setting: Setting): z.ZodType {
  const { description } = setting;
  const schema = schemaOfKind(setting);
  return description === undefined ? schema : schema.openapi({ description });
}

function schemaOfKind(setting: Setting) {
  switch (setting.kind) {
    case 'flag':
      return z.boolean();
    case 'number':
    case 'seconds':
      return z.number().int().min(setting.from).max(setting.to);
    case 'choice':
      return z.enum(setting.of);
  }
}
