/**
 * `ilora methods`: what the registry holds.
 */
import { Command } from '@commander-js/extra-typings';
import { formatTable } from '../analysis/index.js';
import { snakeCase } from '../files/index.js';
import { METHODS, type Method } from '../recommenders/index.js';
import { methodJsonSchema } from '../training/index.js';
import { print, printSchema } from './terminal.js';

export function methodsCommand() {
  return new Command('methods')
    .description('list the methods that can be trained, and what each can do')
    .option('--json', 'print one JSON document, with the JSON Schema of each method’s settings')
    .action(({ json }) => {
      if (json) printSchema(METHODS.map(methodDocument));
      else print(methodsTable());
    });
}

/** What is told of a method. */
export function methodDocument(method: Method) {
  const { name, label, summary, capabilities, needs } = method;
  return {
    name,
    label,
    summary,
    capabilities: capabilities.map(snakeCase),
    needs,
    settings: methodJsonSchema(method),
  };
}

function methodsTable(): string {
  const needsOf = ({ needs }: Method): string =>
    [
      needs.base && 'language model',
      needs.encoder && 'encoder',
      needs.members && 'members',
      needs.texts && 'titles',
    ]
      .filter(Boolean)
      .join(', ');
  return formatTable(
    [{ header: 'method' }, { header: 'can' }, { header: 'needs' }, { header: 'what it is' }],
    (METHODS as readonly Method[]).map((method) => [
      method.name,
      method.capabilities.map(snakeCase).join(', '),
      needsOf(method) || '–',
      method.summary,
    ]),
  );
}
