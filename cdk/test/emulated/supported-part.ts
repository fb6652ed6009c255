/** A CloudFormation template, as far as it matters which of its parts stand on which. */
export interface EmulatedTemplate {
  readonly Resources: { readonly [id: string]: { readonly Type: string; DependsOn?: string | string[]; readonly Properties?: unknown } };
  readonly Outputs?: { readonly [id: string]: unknown };
}

/** What is left of a template without resources of some types, and without all that stands on those. */
export function supportedPart(template: EmulatedTemplate, unsupported: readonly string[]): EmulatedTemplate {
  const resources = { ...template.Resources };
  const gone = new Set(Object.keys(resources).filter((id) => unsupported.includes(resources[id]!.Type)));
  const refersToGone = (part: unknown) => [...JSON.stringify(part ?? null).matchAll(/"(?:Ref":|Fn::GetAtt":\[)"(\w+)"/g)].some(([, id]) => gone.has(id!));
  for (let before = -1; before !== gone.size;) {
    before = gone.size;
    Object.entries(resources).filter(([, { Properties }]) => refersToGone(Properties)).forEach(([id]) => gone.add(id));
  }
  const left = Object.entries(resources).filter(([id]) => !gone.has(id))
    .map(([id, resource]) => [id, { ...resource, DependsOn: [resource.DependsOn ?? []].flat().filter((needed) => !gone.has(needed)) }]);
  const outputs = Object.entries(template.Outputs ?? {}).filter(([, output]) => !refersToGone(output));
  return { ...template, Resources: Object.fromEntries(left) as EmulatedTemplate['Resources'], Outputs: Object.fromEntries(outputs) };
}
