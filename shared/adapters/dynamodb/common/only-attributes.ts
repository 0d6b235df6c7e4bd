// A Query or Scan of some attributes. IAM holds it against the attributes that it names and against its `Select`, which
// therefore has to be there: without it a read that names no attributes would pass.
// [AWS: "Ensuring attribute-based restrictions are enforced"]

export function onlyAttributes(names: readonly string[]) {
  return {
    Select: 'SPECIFIC_ATTRIBUTES' as const,
    ProjectionExpression: names.map((name) => `#${name}`).join(', '),
    ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
  };
}
