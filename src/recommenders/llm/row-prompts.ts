/**
 * Prompts over a few items under titles of their own, by their ids in the catalog.
 *
 * Titles go through the same `PromptBuilder` as in training and serving, so whatever it does to make a title
 * harmless is done here too.
 */
import { neutralTitle, type Prompt, PromptBuilder, type PromptRequest } from '../../text/index.js';

export class RowPrompts extends PromptBuilder {
  readonly #items: readonly number[];
  readonly #places: ReadonlyMap<number, number>;

  constructor(prompts: PromptBuilder, titles: ReadonlyMap<number, string>) {
    // An empty title becomes "item <id>": say so here, where the id is that of the catalog.
    super(
      prompts.encoder,
      [...titles].map(([item, title]) => ({
        ...prompts.items[item],
        title: neutralTitle(title, item),
      })),
      prompts.template,
    );
    this.#items = [...titles.keys()];
    this.#places = new Map(this.#items.map((item, place) => [item, place]));
  }

  override build(request: PromptRequest): Prompt {
    const place = (item: number): number => this.#places.get(item) ?? -1;
    const prompt = super.build({
      ...request,
      history: request.history.map(place),
      candidates: request.candidates.map(place),
    });
    const slots = prompt.slots.map((slot) => ({
      ...slot,
      item: this.#items[slot.item] as number,
    }));
    return { ...prompt, slots };
  }

  override answer(item: number): number[] {
    return super.answer(this.#places.get(item) ?? -1);
  }

  override titleOf(item: number): string {
    return super.titleOf(this.#places.get(item) ?? -1);
  }
}
