/**
 * The text of docs/methods.md.
 */
import { snakeCase } from '../src/files/index.js';
import { type Capability, METHODS, type Method } from '../src/recommenders/index.js';

const CAN: Readonly<Record<Capability, string>> = {
  recommender: 'scores candidates',
  retriever: 'finds the best items of the whole catalog',
  encoder: 'turns histories and items into vectors; stands behind iLoRA’s gate and slots',
  generator: 'answers in words',
  titleReader: 'reads titles, so it can be tested with others',
};

export function methodsPage(): string {
  const rows = (METHODS as readonly Method[]).map(
    ({ name, label, capabilities, needs, summary }) => {
      const wants = [
        needs.base && 'language model',
        needs.encoder && 'encoder',
        needs.members && 'members',
        needs.texts && 'titles',
      ];
      const can = capabilities.map((each) => `\`${snakeCase(each)}\``).join(', ');
      return `| \`${name}\` | ${label} | ${can} | ${wants.filter(Boolean).join(', ') || '–'} | ${summary} |`;
    },
  );
  return `# Methods

What \`ilora train\` can train, from the registry (\`src/recommenders/registry.ts\`; this page is
written by \`npm run docs:methods\`). A settings file names one in \`method\`. Its other keys are in
[settings.schema.json](settings.schema.json), and in \`ilora methods --json\`.

| name | in tables | can | needs | what it is |
|---|---|---|---|---|
${rows.join('\n')}

What they can:

${Object.entries(CAN)
  .map(([name, text]) => `- \`${snakeCase(name)}\`: ${text}`)
  .join('\n')}

A method that needs an encoder takes a run folder (\`encoder: runs/movielens-sasrec\`) or the settings of
one that is trained first (\`encoder: { method: gru4rec, gru4rec: { width: 64 } }\`).

A method that needs members takes a list of both (\`members: [runs/movielens-sasrec, { method: gru4rec }]\`), of
methods that find items of the whole catalog. It learns how to combine them from validation users.
`;
}
