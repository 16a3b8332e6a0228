/** The section `modules`: each companion's own table of parameters, and where its events come from. */
import { optionName, type ParameterSpec, parameterFault } from '@pua/core';
import { DIALOGINFO_PARAMETERS, dialoginfo } from '@pua/dialoginfo';
import { REGINFO_PARAMETERS, reginfo } from '@pua/reginfo';
import { USRLOC_PARAMETERS, usrloc } from '@pua/usrloc';
import { z } from 'zod';
import { dialogSource, registrationSource } from '../sources.js';
import { type Check, choice, isText, leaf, leaves, optionalText, parameter, text } from './leaf.js';
import { miFault, moduleFault } from './probe.js';
import { DIALOG_SOURCES, REGISTRATION_SOURCES, type SourceEntry, sourcesOf } from './sources.js';

const notYet =
  (what: string, instead: string): Check =>
  () =>
    `${what} is not available in this version; ${instead}`;
const absentOnly = (what: string): z.ZodType =>
  leaf('text', null, (value) => (value === null ? undefined : notYet(what, 'leave it out')(value)));
const laterModule = (name: string): z.ZodType =>
  leaf('text', undefined, notYet(`the module ${name}`, 'remove this section'));

const hosts = z
  .array(leaf('text', undefined, (value) => isText(value) ?? miFault({ hosts: [String(value)] })))
  .optional()
  .register(leaves, { type: 'list', default: [], secret: false });

const mi = z
  .strictObject({
    listen: text('127.0.0.1:8060', (value) => miFault({ listen: String(value), token: 'x' })),
    token: optionalText((value) => miFault({ token: String(value) }), true),
    hosts,
    socket: absentOnly('the Unix socket'),
    fifo: absentOnly('the FIFO'),
  })
  .superRefine(({ listen, token }, context) => {
    if (typeof listen !== 'string' || (token !== undefined && token !== null)) return;
    const fault = miFault({ listen, token: 'x' }) === undefined ? miFault({ listen }) : undefined;
    if (fault !== undefined) context.addIssue({ code: 'custom', path: ['listen'], message: fault });
  });

type Table = Readonly<Record<string, ParameterSpec>>;
type Given = Record<string, unknown>;

/** Says nothing, and is none: for asking a module what it thinks of its other options. */
const NO_SOURCE = { onEvent: () => () => undefined };

/** A companion: its parameters are checked one by one, then all together by the module itself. */
function companion(table: Table, more: Record<string, z.ZodType>, make: (options: Given) => unknown) {
  const parameters = Object.fromEntries(
    Object.entries(table).map(([name, spec]) => [name, parameter(spec, () => undefined)]),
  );
  return z.strictObject({ ...parameters, ...more }).superRefine((given: Given, context) => {
    const options = Object.entries(given).filter(([name, value]) => name in table && value !== undefined);
    // Told already.
    if (options.some(([name, value]) => parameterFault(table[name]!, value) !== undefined)) return;
    const fault = moduleFault(() =>
      make(Object.fromEntries(options.map(([name, value]) => [optionName(name), value]))),
    );
    if (!fault) return;
    context.addIssue({ code: 'custom', path: fault.key in given ? [fault.key] : [], message: fault.message });
  });
}

const registrations = sourcesOf(REGISTRATION_SOURCES, (entry) => registrationSource(entry, null));
const subscribe = z
  .array(leaf('text', undefined, isText))
  .optional()
  .register(leaves, { type: 'list', default: [], secret: false });

const sections = {
  usrloc: companion(USRLOC_PARAMETERS, { sources: registrations }, (options) =>
    usrloc({ ...options, source: NO_SOURCE }),
  ),
  dialoginfo: companion(DIALOGINFO_PARAMETERS, { sources: sourcesOf(DIALOG_SOURCES, dialogSource) }, (options) =>
    dialoginfo({ ...options, source: NO_SOURCE }),
  ),
  reginfo: companion(
    REGINFO_PARAMETERS,
    { profile: choice('kamailio', ['kamailio', 'opensips']), subscribe, sources: registrations },
    (options) => reginfo(options),
  ),
};

export const modules = z
  .strictObject({
    usrloc: sections.usrloc.optional(),
    dialoginfo: sections.dialoginfo.optional(),
    reginfo: sections.reginfo.optional(),
    bla: laterModule('bla'),
    xmpp: laterModule('xmpp'),
    mi: mi.optional(),
  })
  .superRefine(({ usrloc: u, reginfo: r, dialoginfo: d, mi: served }, context) => {
    const issue = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
    const listed = (section: Given | undefined) => (section?.['sources'] ?? []) as SourceEntry[];
    const ofRegistrations = [...listed(u), ...listed(r)];
    if (u && ofRegistrations.length === 0)
      issue(['usrloc'], 'has no sources; such as sources: [{ type: registrar, trusted: [127.0.0.1/32] }]');
    if (r && ofRegistrations.length === 0 && ((r as Given)['subscribe'] as unknown[] | undefined)?.length === undefined)
      issue(['reginfo'], 'has no sources, and nothing to subscribe to; give one of both');
    if (d && listed(d).length === 0) issue(['dialoginfo'], 'has no sources; such as sources: [{ type: webhook }]');
    const registrars = new Set(
      ofRegistrations.filter(({ type }) => type === 'registrar').map((e) => JSON.stringify(e)),
    );
    if (registrars.size > 1)
      issue(['reginfo', 'sources'], 'there can be one registrar only; write the same entry in both modules, or in one');
    if (served) return;
    for (const [name, section] of Object.entries({ usrloc: u, reginfo: r, dialoginfo: d })) {
      const index = listed(section).findIndex(({ type }) => type === 'webhook');
      if (index >= 0)
        issue([name, 'sources', index], 'a webhook is served by the module mi; add the section modules.mi');
    }
  });
