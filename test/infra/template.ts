// A template of CloudFormation, as far as tests read one.

export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DependsOn?: string | readonly string[];
  readonly Condition?: string;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

export interface Template {
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Parameters?: Readonly<Record<string, { readonly Type: string }>>;
  readonly Conditions?: Readonly<Record<string, unknown>>;
  readonly Outputs?: Readonly<
    Record<string, { readonly Value: unknown; readonly Export?: { readonly Name: unknown } }>
  >;
}

/** Those of one installation, by the names of their stacks. */
export type Templates = ReadonlyMap<string, Template>;

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A value that CloudFormation works out: `Ref` or `Fn::…` is the only name in its object. */
export function intrinsicOf(value: unknown): readonly [string, unknown] | undefined {
  if (!isObject(value)) return undefined;
  const [entry, ...more] = Object.entries(value);
  if (entry === undefined || more.length > 0) return undefined;
  return entry[0] === 'Ref' || entry[0].startsWith('Fn::') ? entry : undefined;
}

/** Argument of `Fn::GetAtt`: a list, or text with a dot. */
export function attributeOf(argument: unknown): readonly [id: string, attribute: string] {
  const [id = '', ...attribute] = Array.isArray(argument) ? argument.map(String) : String(argument).split('.');
  return [id, attribute.join('.')];
}

/** Its properties and attributes are its function's business. */
export const isCustom = ({ Type: type }: TemplateResource): boolean =>
  type.startsWith('Custom::') || type === 'AWS::CloudFormation::CustomResource';
