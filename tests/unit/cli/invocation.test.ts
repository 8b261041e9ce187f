/** Commands that are shown can be pasted where they are shown. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { command, pasteable, program, shellWord } from '../../../src/cli/invocation.js';

test('npx where npx began it, the name where it is on the path, else the launcher by its file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ilora-path-'));
  try {
    const launcher = join(process.cwd(), 'bin', 'ilora.js');
    assert.equal(program({ npm_command: 'exec', PATH: folder }), 'npx ilora');
    assert.equal(program({ PATH: folder }, launcher), 'node bin/ilora.js');
    writeFileSync(join(folder, 'ilora'), '');
    assert.equal(program({ PATH: `/nowhere:${folder}` }), 'ilora');
    assert.equal(program({}, launcher), 'node bin/ilora.js');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a word is given back by a shell as it was', () => {
  for (const word of [
    'plain',
    'a b',
    "it's",
    '$HOME',
    'Toy Story; Aladdin',
    '`x`',
    '"',
    '*',
    '\\',
  ]) {
    const echoed = execFileSync('sh', ['-c', `printf %s ${shellWord(word)}`], { encoding: 'utf8' });
    assert.equal(echoed, word);
  }
  assert.equal(command('recommend', '--run', 'a b'), "ilora recommend --run 'a b'");
});

test('commands in hints begin as they must here, other words stay', () => {
  const here = program();
  assert.equal(pasteable('next: ilora evaluate --run x'), `next: ${here} evaluate --run x`);
  assert.equal(pasteable('make it with `ilora data pull`'), `make it with \`${here} data pull\``);
  assert.equal(pasteable('type "ilora setup"'), `type "${here} setup"`);
  assert.equal(pasteable('ilora: stopped'), 'ilora: stopped');
  assert.equal(pasteable('ilora setup: expected --yes'), 'ilora setup: expected --yes');
});
