/** Parameters and options of usrloc, checked and completed. */
import {
  type Binding,
  checkParameters,
  type OptionsOf,
  type ParameterSpec,
  PuaError,
  type RegistrationSource,
} from '@pua/core';

/** The first four are those of pua_usrloc, by their names; the others are our own. */
export const USRLOC_PARAMETERS = {
  default_domain: {
    type: 'string',
    default: null,
    doc: 'Domain of an AOR that has none. Needed only where such an AOR is met, which is then told once.',
  },
  entity_prefix: {
    type: 'string',
    default: null,
    doc: 'Scheme of the `entity` in the document (`pres`). Unset: the presentity URI. Changes nothing on the wire around it.',
  },
  branch_flag: {
    type: 'int',
    default: -1,
    min: -1,
    max: 31,
    doc: 'Publish the bindings that have this flag in their stored flags (cflags), others not; -1: off. With it `publish` is not asked.',
  },
  presence_server: {
    type: 'uri',
    default: null,
    doc: 'Outbound proxy of every PUBLISH of this module (OpenSIPS). Unset: that of the core.',
  },
  compat: {
    type: 'int',
    default: 0,
    values: [0, 1],
    doc: 'Ours. 1: the document of Kamailio: an `entity` without scheme unless `entity_prefix` gives one, no `timestamp`.',
  },
  aggregate: {
    type: 'int',
    default: 0,
    values: [0, 1],
    doc: 'Ours. 1: one publication per AOR with a tuple per binding, and a `closed` document when the last binding goes.',
  },
  explicit_offline: {
    type: 'int',
    default: 0,
    min: 0,
    max: 86400,
    doc: 'Ours. Seconds that a `closed` document stands when the last binding of an AOR has gone, before it is un-published; 0: none, with `aggregate` 60.',
  },
  contact: {
    type: 'int',
    default: 0,
    values: [0, 1],
    doc: 'Ours. 1: the contact URI with its q stands in the document. It tells watchers the address of the device.',
  },
  grace: {
    type: 'int',
    default: 1,
    min: 0,
    max: 3600,
    doc: 'Ours. Seconds that a publication outlives its registration.',
  },
} as const satisfies Record<string, ParameterSpec>;

export interface UsrlocOptions extends OptionsOf<typeof USRLOC_PARAMETERS> {
  /** Where registrations come from; this or `sources`. */
  readonly source?: RegistrationSource;
  readonly sources?: readonly RegistrationSource[];
  /**
   * What pua_set_publish() decides in C: is this binding published? Default: every one. What the source says (the hint
   * `publish` of an event, `publish` of the binding) comes first; with `branch_flag` it is not asked.
   */
  readonly publish?: (binding: Binding) => boolean;
}

export interface Settings {
  readonly sources: readonly RegistrationSource[];
  readonly parameters: Required<OptionsOf<typeof USRLOC_PARAMETERS>>;
  /** The rule for a binding of which the source does not say it. */
  readonly isPublished: (binding: Binding) => boolean;
}

/** @throws PuaError `PUA_ERR_OPTION` that names the option */
export function checkOptions(given: UsrlocOptions): Settings {
  const parameters = checkParameters('usrloc', USRLOC_PARAMETERS, given);
  const { defaultDomain, entityPrefix, branchFlag } = parameters;
  if (defaultDomain !== null && !/^[\w.:[\]-]+$/.test(defaultDomain))
    fail('defaultDomain (default_domain)', `must be a host such as example.com, not ${JSON.stringify(defaultDomain)}`);
  if (entityPrefix !== null && !/^[a-z][a-z0-9+.-]*$/i.test(entityPrefix))
    fail(
      'entityPrefix (entity_prefix)',
      `must be a URI scheme without colon: pres, not ${JSON.stringify(entityPrefix)}`,
    );
  if (given.publish !== undefined && typeof given.publish !== 'function')
    fail('publish', `must be a function (binding) => boolean, not ${typeof given.publish}`);
  return { sources: sourcesOf(given), parameters, isPublished: ruleOf(branchFlag, given.publish) };
}

function sourcesOf({ source, sources }: UsrlocOptions): readonly RegistrationSource[] {
  if ((source === undefined) === (sources === undefined))
    fail('source', 'give either source or sources: where registrations come from');
  const all = source === undefined ? sources! : [source];
  if (!Array.isArray(all) || all.length === 0) fail('sources', 'must be a list with at least one source');
  if (all.some((one) => typeof one?.onEvent !== 'function'))
    fail('source', 'must be a RegistrationSource such as registrar(...), but it has no onEvent()');
  return all;
}

function ruleOf(branchFlag: number, publish: UsrlocOptions['publish']): Settings['isPublished'] {
  if (branchFlag >= 0) return ({ flags = 0 }) => ((flags >>> branchFlag) & 1) === 1;
  if (!publish) return () => true;
  return (binding) => {
    const answer: unknown = publish(binding);
    if (typeof answer === 'boolean') return answer;
    throw new PuaError('PUA_ERR_OPTION', `usrloc publish: must answer true or false at once, not ${typeof answer}`);
  };
}

function fail(option: string, what: string): never {
  throw new PuaError('PUA_ERR_OPTION', `usrloc ${option}: ${what}`);
}
