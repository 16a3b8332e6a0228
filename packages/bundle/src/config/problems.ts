/** What is wrong with a configuration: all of it at once, each with its place and its remedy. */

export interface Place {
  /** `pua.yaml:3:5`, or `environment variable PUA_PUA__DB_URL`. */
  readonly where: string;
}

export interface Problem extends Place {
  /** `pua.db_url`, `sip.credentials[0].password`; empty: the file as a whole. */
  readonly path: string;
  readonly wrong: string;
  readonly remedy: string;
}

/** One line: place, key path, what is wrong, remedy. */
export function problemLine({ where, path, wrong, remedy }: Problem): string {
  return `${where}: ${path === '' ? '' : `${path}: `}${wrong}; ${remedy}`;
}

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly problems: readonly Problem[]) {
    super(problems.map(problemLine).join('\n'));
  }
}

export type Path = readonly (string | number)[];

/** `['sip', 'listen', 0]` -> `sip.listen[0]` */
export function pathText(path: Path): string {
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('');
}
