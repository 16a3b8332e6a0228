/** Where the time of a profile went: self time of what was on top of the stack, by package and by module. */

/** What of a `.cpuprofile` is used here. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  /** Node that was on top in each sample. */
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

export interface Place {
  /** Package, `node` or what the engine did: `(garbage collector)`, `(program)`. */
  readonly group: string;
  readonly module: string;
}

export interface Share {
  readonly name: string;
  readonly ms: number;
  /** Of the time that was not idle. */
  readonly part: number;
}

export interface Summary {
  readonly busyMs: number;
  readonly idleMs: number;
  /** Largest first. */
  readonly groups: readonly Share[];
  readonly modules: readonly Share[];
}

const IDLE = '(idle)';

export function placeOf(functionName: string, url: string): Place {
  if (url === '') {
    // Parts of the engine have names in brackets; builtins have only their own.
    const name = functionName.startsWith('(') ? functionName : '(builtins)';
    return { group: name, module: name };
  }
  if (url.startsWith('node:')) return { group: 'node', module: url };
  const installed = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(.+)$/.exec(url);
  if (installed) return { group: installed[1]!, module: `${installed[1]}/${installed[2]}` };
  const own = /\/packages\/([^/]+)\/dist\/(.+)$/.exec(url);
  if (own) return { group: `@pua/${own[1]}`, module: `@pua/${own[1]}/${own[2]}` };
  return { group: 'other', module: url };
}

export function summaryOf({ nodes, samples, timeDeltas }: CpuProfile): Summary {
  const places = new Map(nodes.map(({ id, callFrame: { functionName, url } }) => [id, placeOf(functionName, url)]));
  const groups = new Map<string, number>();
  const modules = new Map<string, number>();
  let idleMs = 0;
  let busyMs = 0;
  for (const [i, id] of samples.entries()) {
    // A delta stands before its sample: what was on top then lasted until the next one.
    const ms = Math.max(0, timeDeltas[i + 1] ?? 0) / 1000;
    const { group, module } = places.get(id)!;
    if (group === IDLE) {
      idleMs += ms;
      continue;
    }
    busyMs += ms;
    groups.set(group, (groups.get(group) ?? 0) + ms);
    modules.set(module, (modules.get(module) ?? 0) + ms);
  }
  const shares = (times: ReadonlyMap<string, number>): Share[] =>
    [...times].map(([name, ms]) => ({ name, ms, part: ms / busyMs })).sort((a, b) => b.ms - a.ms);
  return { busyMs, idleMs, groups: shares(groups), modules: shares(modules) };
}
