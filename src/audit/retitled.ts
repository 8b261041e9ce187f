/**
 * A language-model recommender that shows one item under another title; all else stays as it was.
 *
 * Titles go through the same `PromptBuilder` as in training and serving, so whatever it does to make
 * a title harmless is done here too. Only the row's own items are encoded anew.
 */
import type { Instance } from '../data/index.js';
import { LlmRecommender, type Recommender } from '../recommenders/index.js';
import {
  neutralTitle,
  type Prompt,
  PromptBuilder,
  type PromptDomain,
  type PromptRequest,
  type TextEncoder,
} from '../text/index.js';

/** What retitling needs to know besides the recommender. */
export interface Titles {
  titleOf: (item: number) => string;
  /** Wording of the run's prompts. */
  domain: PromptDomain;
}

/** Prompts over the few items of a row, by their ids in the catalog. */
class RowPrompts extends PromptBuilder {
  private readonly places: ReadonlyMap<number, number>;

  constructor(
    encoder: TextEncoder,
    private readonly items: readonly number[],
    titleOf: (item: number) => string,
    domain: PromptDomain,
  ) {
    // An empty title becomes "item <id>": say so here, where the id is that of the catalog.
    super(
      encoder,
      items.map((item) => neutralTitle(titleOf(item), item)),
      domain,
    );
    this.places = new Map(items.map((item, place) => [item, place]));
  }

  override build(request: PromptRequest): Prompt {
    const place = (item: number): number => this.places.get(item) ?? -1;
    const prompt = super.build({
      ...request,
      history: request.history.map(place),
      candidates: request.candidates.map(place),
    });
    const slots = prompt.slots.map((slot) => ({ ...slot, item: this.items[slot.item]! }));
    return { ...prompt, slots };
  }

  override answer(item: number): number[] {
    return super.answer(this.places.get(item) ?? -1);
  }

  override titleOf(item: number): string {
    return super.titleOf(this.places.get(item) ?? -1);
  }
}

/** Whether a recommender reads titles at all. */
export function readsTitles(recommender: Recommender): boolean {
  return recommender instanceof LlmRecommender;
}

/** The recommender for one row in which `item` has the title `title`; itself if it reads no titles. */
export function retitled(
  recommender: Recommender,
  { history, candidates }: Instance,
  { titleOf, domain }: Titles,
  change?: { item: number; title: string },
): Recommender {
  if (!(recommender instanceof LlmRecommender)) return recommender;
  const { parts } = recommender;
  const prompts = new RowPrompts(
    parts.prompts.encoder,
    [...new Set([...history, ...candidates])],
    (item) => (item === change?.item ? change.title : titleOf(item)),
    domain,
  );
  return new LlmRecommender({ ...parts, prompts });
}
