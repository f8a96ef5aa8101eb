/** The address of an export. A street names all its sensors; single ones are named one by one, up to a bound. */
export const MAX_NAMED = 60;

export interface Export {
  street: string | null;
  ids: readonly string[];
  attribute: string | null;
  from: string;
  to: string;
}

export function exportPath({ street, ids, attribute, from, to }: Export): string {
  const query = new URLSearchParams();
  if (street !== null) query.set('street', street);
  for (const id of ids.slice(0, MAX_NAMED)) query.append('id', id);
  if (attribute !== null) query.set('attribute', attribute);
  query.set('from', from);
  query.set('to', to);
  return `/portal/api/export.csv?${query.toString()}`;
}
