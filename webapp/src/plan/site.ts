/** Sites as people say them: an id such as closure-7 tells its kind, and needs no second word for it. */
export function plainSite(name: string): string {
  return name.replaceAll(/\b(office|cabinet|closure) (?=\1-)/g, '');
}
