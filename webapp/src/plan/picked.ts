/** What is picked of a plan: one of its things, on the map and in a table alike; kept in the address as `kind:id`. */
const KINDS = ['street', 'site', 'cable', 'premises', 'fault'] as const;
export type PickedKind = (typeof KINDS)[number];

export interface Picked {
  kind: PickedKind;
  id: string;
}

export function pickedOf(text: string | null): Picked | null {
  const at = text?.indexOf(':') ?? -1;
  const kind = KINDS.find((known) => known === text?.slice(0, at));
  return text && kind ? { kind, id: text.slice(at + 1) } : null;
}

export function textOf(picked: Picked | null): string | null {
  return picked && `${picked.kind}:${picked.id}`;
}
