// node scripts/diagrams.mjs           draws docs/state-machines.md from the transition tables of core
// node scripts/diagrams.mjs --check   fails when the file is not what the tables give
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fail, root } from './steps.mjs';

const core = (path) => createRequire(import.meta.url)(join(root, 'packages/core/dist', path));
const { PUBLICATION_TABLE } = core('publication/table.js');
const { SUBSCRIPTION_TABLE } = core('subscription/table.js');

const MACHINES = [
  {
    name: 'Publication',
    table: PUBLICATION_TABLE,
    inputs: ['publish', 'unpublish', 'slot', 'answer', 'timer'],
    source: 'packages/core/src/publication/table.ts',
  },
  {
    name: 'Subscription',
    table: SUBSCRIPTION_TABLE,
    inputs: ['subscribe', 'unsubscribe', 'slot', 'answer', 'notify', 'unbound', 'timer'],
    source: 'packages/core/src/subscription/table.ts',
  },
];

/** An arrow per pair of states, with the inputs that may lead along it; staying where one is has no arrow. */
function diagram({ table }) {
  const arrows = new Map();
  for (const [from, row] of Object.entries(table)) {
    for (const [input, { to }] of Object.entries(row)) {
      for (const target of to) {
        if (target === from || (from === 'absent' && target === 'ended')) continue;
        const key = `${from === 'absent' ? '[*]' : from} --> ${target === 'ended' ? '[*]' : target}`;
        arrows.set(key, [...(arrows.get(key) ?? []), input]);
      }
    }
  }
  const lines = [...arrows].map(([arrow, inputs]) => `  ${arrow}: ${inputs.join(', ')}`);
  return ['```mermaid', 'stateDiagram-v2', ...lines, '```'].join('\n');
}

/** Every cell: the function that runs, and the states it may lead to. */
function grid({ table, inputs }) {
  const rows = [
    ['state', ...inputs],
    ['---', ...inputs.map(() => '---')],
  ];
  for (const [state, row] of Object.entries(table)) {
    const cells = inputs.map((input) =>
      row[input] ? `\`${row[input].does.name}\` → ${row[input].to.join(', ')}` : '',
    );
    rows.push([`**${state}**`, ...cells]);
  }
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row, index) => {
      const cells = row.map((cell, column) => (index === 1 ? '-'.repeat(widths[column]) : cell.padEnd(widths[column])));
      return `| ${cells.join(' | ')} |`;
    })
    .join('\n');
}

const section = (machine) => `## ${machine.name}

The table stands in \`${machine.source}\`; a cell names the function that runs and every state it may lead to. An empty
cell can't happen: such an input is an error of the shell.

${grid(machine)}

${diagram(machine)}
`;

const text = `# The state machines

Drawn from the transition tables by \`node scripts/diagrams.mjs\`; don't edit. Inputs: the owner's requests
(\`publish\`, \`unpublish\`, \`subscribe\`, \`unsubscribe\`), \`slot\` (the record may send now), \`answer\` (the end of the pass over all
routes), \`notify\`, \`unbound\` (the engine gets no more NOTIFYs of the dialog) and \`timer\`. Why each does what it does stands in the \`step.ts\` beside the table.

${MACHINES.map(section).join('\n')}`;

const file = join(root, 'docs/state-machines.md');
if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== text) fail('docs/state-machines.md is out of date: run node scripts/diagrams.mjs');
} else writeFileSync(file, text);
