/** The modules of a configuration, in the order in which they start: sources, what they feed, and mi, which serves all. */
import { optionName, type PuaModule, type RegistrationSink } from '@pua/core';
import { dialoginfo } from '@pua/dialoginfo';
import { type MiModule, mi } from '@pua/mi';
import { reginfo } from '@pua/reginfo';
import { usrloc } from '@pua/usrloc';
import type { Config, ModuleSection } from './config/load.js';
import type { SourceEntry } from './config/sources.js';
import { dialogSource, registrationSource } from './sources.js';

export interface Modules {
  readonly all: readonly PuaModule[];
  readonly mi: MiModule | undefined;
}

export interface ModulesHost {
  /** What is wrong with SIP just now, for /health. */
  readonly sipFault: () => string | undefined;
  readonly warn: (message: string) => void;
}

/** Takes REGISTERs: the engine must deliver them. */
export const takesRegister = ({ usrloc: u, reginfo: r }: Config['modules']): boolean =>
  [u, r].some((section) => section?.sources.some(({ type }) => type === 'registrar'));

/** @throws PuaError `PUA_ERR_OPTION` */
export function makeModules({ modules, pua }: Config, host: ModulesHost): Modules {
  const dbUrl = /^memory:/i.test(pua.dbUrl) ? null : pua.dbUrl;
  const registrations = shared([modules.usrloc, modules.reginfo], (entry) => registrationSource(entry, dbUrl));
  const dialogs = shared([modules.dialoginfo], dialogSource);
  const all: PuaModule[] = [...registrations.all, ...dialogs.all];
  if (modules.usrloc) {
    all.push(usrloc({ ...optionsOf(modules.usrloc), sources: registrations.of(modules.usrloc) }));
  }
  if (modules.reginfo) {
    const { subscribe, ...section } = modules.reginfo;
    const sink = registrations.all.find((source) => typeof source.upsert === 'function');
    all.push(
      reginfo({
        ...optionsOf(section),
        sources: registrations.of(modules.reginfo),
        ...(sink ? { sink: sink as unknown as RegistrationSink } : {}),
        subscribe: subscribe as readonly string[],
      }),
    );
  }
  if (modules.dialoginfo) {
    const { warn } = host;
    all.push(dialoginfo({ ...optionsOf(modules.dialoginfo), sources: dialogs.of(modules.dialoginfo), warn }));
  }
  const served = modules.mi && mi({ ...modules.mi, checks: { sip: host.sipFault } });
  if (served) all.push(served);
  return { all, mi: served };
}

/** Equal entries are one source; a module that names none takes those of the others. */
function shared<T>(sections: readonly (ModuleSection | undefined)[], make: (entry: SourceEntry) => T) {
  const made = new Map<string, T>();
  for (const entry of sections.flatMap((section) => section?.sources ?? [])) {
    const key = JSON.stringify(entry);
    if (!made.has(key)) made.set(key, make(entry));
  }
  const all = [...made.values()];
  const of = ({ sources }: ModuleSection): T[] =>
    sources.length === 0 ? all : sources.map((entry) => made.get(JSON.stringify(entry))!);
  return { all, of };
}

function optionsOf({ sources: _, ...parameters }: ModuleSection): Record<string, unknown> {
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [optionName(name), value]));
}
