/**
 * ★ The methods, one line each. Nothing else lists them.
 */
import { z } from 'zod';
import { internal, mismatch } from '../errors/index.js';
import { blend } from './blend/method.js';
import type { Encoder, EncoderDescription } from './capability.js';
import { caser } from './caser/method.js';
import { cooccurrence } from './counts/cooccurrence-method.js';
import { markov } from './counts/markov-method.js';
import { popularity } from './counts/popularity-method.js';
import { ease } from './ease/method.js';
import { gru4rec } from './gru4rec/method.js';
import { ials } from './ials/method.js';
import { base } from './llm/methods/base.js';
import { ilora } from './llm/methods/ilora.js';
import { lora } from './llm/methods/lora.js';
import { streamingIlora, streamingLora } from './llm/methods/streaming.js';
import { commonShape, encoderFrom, type Method } from './method.js';
import { sasrec } from './sasrec/method.js';

/** All methods, in the order in which lists and tables show them. */
export const METHODS = [
  popularity,
  cooccurrence,
  markov,
  ease,
  ials,
  sasrec,
  gru4rec,
  caser,
  base,
  lora,
  ilora,
  streamingLora,
  streamingIlora,
  blend,
] as const;

/** What a comparison holds unless it says otherwise. */
export const COMPARED: readonly Method[] = [popularity, cooccurrence, sasrec, base, lora, ilora];
/** The method that a comparison is about unless it says otherwise. */
export const MAIN: Method = ilora;
/** What a method is first held against: the same without what it brings. */
export const CONTROLS: ReadonlyMap<Method, Method> = new Map<Method, Method>([
  [ilora, lora],
  [streamingIlora, streamingLora],
]);
/** The encoder of a method that needs one and names none. */
export const DEFAULT_ENCODER: Method = sasrec;
/** The members of a method that combines others and names none. */
export const DEFAULT_MEMBERS: readonly Method[] = [cooccurrence, sasrec, gru4rec];

export const METHOD_NAMES: readonly string[] = METHODS.map(({ name }) => name);

/** @throws IloraError `usage` for a name that is none */
export function methodNamed(name: string): Method {
  const found = METHODS.find((method) => method.name === name);
  if (found !== undefined) return found;
  throw mismatch('usage', { where: 'method', expected: METHOD_NAMES.join(', '), got: name });
}

/** Methods whose models can stand behind gate and slots. */
export function encoderMethods(): Method[] {
  return METHODS.filter(({ capabilities }) => capabilities.includes('encoder'));
}

/** Methods whose models can be members: they score the whole catalog, and learned from train users only. */
export function memberMethods(): Method[] {
  return METHODS.filter(
    ({ capabilities, needs }) => capabilities.includes('retriever') && !needs.members,
  );
}

/** A frozen encoder with values to come. @throws IloraError `usage` if its method makes none */
export function encoderOf(description: EncoderDescription): Encoder {
  const encoder = encoderFrom(methodNamed(description.method), description);
  if (encoder !== undefined) return encoder;
  throw mismatch('usage', {
    where: 'encoder',
    expected: encoderMethods()
      .map(({ name }) => name)
      .join(', '),
    got: description.method,
  });
}

/**
 * The schema of a method's settings file. A method that needs an encoder takes the run folder of one, or the
 * settings of one that is trained first; one that needs members takes a list of such.
 */
export function settingsSchema(method: Method): z.ZodObject {
  const { name, summary, schema, needs } = method;
  const known = SCHEMAS.get(name);
  if (known !== undefined) return known;
  const named = z.strictObject({ method: z.literal(name).describe(summary), ...schema.shape });
  const made = named.extend({
    ...(needs.encoder && { encoder: encoderSchema() }),
    ...(needs.members && { members: membersSchema() }),
  });
  SCHEMAS.set(name, made);
  return made;
}

/** Schemas take long to make. */
const SCHEMAS = new Map<string, z.ZodObject>();

function encoderSchema(): z.ZodType {
  const [first, ...others] = encoderMethods().map(({ name, shape }) =>
    z.strictObject({ method: z.literal(name), ...shape }),
  );
  if (first === undefined) throw internal('no method has an encoder');
  return z
    .union([z.string().min(1), z.discriminatedUnion('method', [first, ...others])])
    .prefault({ method: DEFAULT_ENCODER.name })
    .describe('run folder of a trained encoder, or its settings: then it is trained in OUT first');
}

function membersSchema(): z.ZodType {
  // A language model is trained on its own, and its run named.
  const described = memberMethods().filter(({ needs }) => !needs.base);
  const [first, ...others] = described.map((method) =>
    settingsSchema(method)
      .omit({ data: true, out: true, device: true })
      .extend({ seed: commonShape.seed.unwrap().optional() }),
  );
  if (first === undefined) throw internal('no method can be a member');
  const member = z.union([z.string().min(1), z.discriminatedUnion('method', [first, ...others])]);
  return z
    .array(member)
    .min(1)
    .prefault(DEFAULT_MEMBERS.map(({ name }) => ({ method: name })))
    .describe(
      'run folders of trained methods that score the whole catalog, or their settings: those are trained in OUT first',
    );
}
