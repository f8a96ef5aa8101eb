/**
 * Something of a project that a job works at, as its page follows it: asked about again until it has ended, its name in
 * the page's title, each new state said aloud. Made while a component is set up, and ends with it.
 */
import { untrack } from 'svelte';
import { Work } from '../account/work.svelte.ts';
import { announcer } from '../announce.svelte.ts';
import { page } from '../page.svelte.ts';
import { route } from '../route.svelte.ts';
import type { ProjectAnswer } from '../server/answers.plan.ts';
import { Problem, tell } from '../server/ask.ts';
import { Asked } from '../server/asked.svelte.ts';
import { PAGE, projectHref, projectPath } from './paths.ts';

const LOOK_MS = 700;
const CONFLICT = 409;

export interface WorkedAt {
  id: string;
  project: string;
  name: string;
  state: string;
}

export class Followed<T extends WorkedAt> {
  readonly asked = new Asked<T>();
  /** What whoever looks does to it. */
  readonly work = new Work();
  readonly #above = new Asked<ProjectAnswer>();
  readonly #id: () => string;
  readonly #pathOf: (id: string, part?: string) => string;
  readonly #sentenceOf: (told: T) => string;

  /** What is asked for; null until it is known. */
  readonly told: T | null = $derived.by(() => (this.asked.value?.id === this.#id() ? this.asked.value : null));
  readonly isOpen: boolean = $derived(this.told?.state === 'waiting' || this.told?.state === 'running');
  /** Its answer in a sentence. */
  readonly sentence: string = $derived.by(() => (this.told ? this.#sentenceOf(this.told) : ''));
  readonly project: ProjectAnswer | null = $derived(this.#above.value);

  /** id: which one, as it is now. pathOf: where the server answers for it. sentenceOf: how it stands, in words. */
  constructor(id: () => string, pathOf: (id: string, part?: string) => string, sentenceOf: (told: T) => string) {
    this.#id = id;
    this.#pathOf = pathOf;
    this.#sentenceOf = sentenceOf;

    $effect(() => {
      const path = pathOf(id());
      untrack(() => void this.asked.ask(path));
      const timer = window.setInterval(() => {
        if (this.isOpen && !document.hidden && !this.asked.pending) void this.asked.ask(path);
      }, LOOK_MS);
      return () => window.clearInterval(timer);
    });
    $effect(() => {
      const project = this.told?.project;
      if (project && this.#above.value?.id !== project) untrack(() => void this.#above.ask(projectPath(project)));
    });
    $effect(() => {
      page.name = this.told?.name ?? null;
      return () => (page.name = null);
    });
    let before = '';
    $effect(() => {
      const state = this.told?.state ?? '';
      if (state !== before && before !== '' && this.told) announcer.answered(this.sentence);
      before = state;
    });
  }

  /** It is worked at once more. */
  begin(): void {
    void this.work.do(async () => {
      this.asked.value = await tell<T>(this.#pathOf(this.#id(), '/begin'), undefined);
    });
  }

  /** It ends before its time: with the best there is, or with nothing. */
  end(how: 'stop' | 'cancel'): void {
    void this.work.do(async () => {
      try {
        this.asked.value = await tell<T>(this.#pathOf(this.#id(), `/${how}`), undefined);
      } catch (problem) {
        // It ended by itself a moment before: the page shows so by its next look.
        if (!(problem instanceof Problem) || problem.status !== CONFLICT) throw problem;
      }
    });
  }

  /** It goes, and whoever looked is back at its project. */
  remove(): void {
    void this.work.do(async () => {
      const project = this.told?.project;
      await tell<void>(this.#pathOf(this.#id()), undefined, 'DELETE');
      route.go(project ? projectHref(project) : PAGE);
    });
  }
}
