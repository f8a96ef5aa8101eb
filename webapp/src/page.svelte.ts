/** What the page in sight calls itself, where that is more than its kind: the name of the thing it shows. */
class PageName {
  name = $state<string | null>(null);
}

export const page = new PageName();
