/** The parameter table of README.md, made from the one table of the parameters. */
import { optionName, type ParameterSpec } from '../../dist/parameters.js';

function rangeOf(spec: ParameterSpec): string {
  if (spec.values) return spec.values.join(', ');
  if (spec.type === 'uri-list') return 'SIP URI or a list of them';
  if (spec.type === 'uri') return 'SIP URI';
  if (spec.type === 'string') return 'text';
  const least = spec.min === -0x80000000 ? '' : spec.min;
  const most = spec.max === 0x7fffffff ? '' : spec.max;
  return least === '' && most === '' ? 'whole number' : `${least}..${most}`;
}

export function parameterTable(parameters: Readonly<Record<string, ParameterSpec>>): string {
  const rows = Object.entries(parameters).map(([name, spec]) => {
    const dflt = spec.default === null ? 'none' : `\`${spec.default}\``;
    return `| \`${name}\` | \`${optionName(name)}\` | ${rangeOf(spec)} | ${dflt} | ${spec.doc} |`;
  });
  return ['| Parameter | Option | Values | Default | Meaning |', '|---|---|---|---|---|', ...rows].join('\n');
}
