/** Parameters of pua_dialoginfo (Kamailio and OpenSIPS) and our own, checked before anything runs. */
import { checkParameters, type DialogSource, type OptionsOf, type ParameterSpec, PuaError } from '@pua/core';
import { type DomainList, localDomainTest } from './domains.js';

const SWITCH = { type: 'int', values: [0, 1] } as const;
const OFF = { ...SWITCH, default: 0 } as const;
const ON = { ...SWITCH, default: 1 } as const;
const FLAG = { type: 'int', default: -1, min: -1, max: 31 } as const;
const MAX_SECONDS = 0x7ffffff0;

export const DIALOGINFO_PARAMETERS = {
  use_uuid: {
    ...OFF,
    doc: '1: ids of dialogs look like UUIDs. Either way they are made from Call-ID and key of the call, so that they are the same after a restart.',
  },
  include_callid: { ...ON, doc: 'Write `call-id`.' },
  include_tags: {
    ...ON,
    doc: 'Write `local-tag` and `remote-tag`. 0 in profile kamailio: the Contact of a callee that rings is not read either.',
  },
  include_localremote: { ...ON, doc: 'Write the elements `local` and `remote`.' },
  override_lifetime: {
    type: 'int',
    default: 0,
    min: 0,
    max: MAX_SECONDS,
    doc: 'Seconds a call is thought to live after each sign of life, instead of what its source says (else 12 hours). 0: not used. Should exceed the time a phone may ring.',
  },
  caller_confirmed: {
    ...OFF,
    doc: 'The document of the caller says `confirmed` while it rings: for phones whose lamp blinks for outgoing calls.',
  },
  include_req_uri: {
    ...OFF,
    doc: 'The callee is the Request-URI of the INVITE, not its To. Profile opensips always takes it.',
  },
  send_publish_flag: {
    ...FLAG,
    doc: '-1: every call, for presentities of `local_domains`. 0 or more: only calls whose INVITE has this message flag, for any presentity.',
  },
  use_pubruri_avps: {
    ...OFF,
    doc: '1: presentities come from the two AVPs, not from From and To. A call for which neither has a value is not followed.',
  },
  pubruri_caller_avp: {
    type: 'string',
    default: null,
    doc: 'AVP with the presentities that get the document of the caller, such as `$avp(s:caller)`.',
  },
  pubruri_callee_avp: { type: 'string', default: null, doc: 'The same for the callee.' },
  refresh_pubruri_avps_flag: {
    ...FLAG,
    doc: 'Requests with this message flag have the AVPs read again; presentities that are gone get `terminated`.',
  },
  pubruri_caller_dlg_var: {
    type: 'string',
    default: null,
    doc: 'Dialog variable that is read when a call is first heard of and the AVP has no value: a JSON list, or URIs with commas between them.',
  },
  pubruri_callee_dlg_var: { type: 'string', default: null, doc: 'The same for the callee.' },
  local_identity_dlg_var: {
    type: 'string',
    default: null,
    doc: 'Dialog variable whose value is the identity of the callee in all documents but that of the creation.',
  },
  callee_trying: { ...OFF, doc: 'Publish `trying` for the callee, too. Profile kamailio.' },
  disable_caller_publish_flag: {
    ...FLAG,
    doc: 'INVITEs with this message flag: no document for the caller, as long as the call lives. Later requests with it: none because of them.',
  },
  disable_callee_publish_flag: { ...FLAG, doc: 'The same for the callee.' },
  caller_entity_when_publish_disabled: {
    type: 'uri',
    default: null,
    doc: 'Shown to the callee instead of a caller whose document `disable_caller_publish_flag` suppresses. Then only the INVITE counts.',
  },
  callee_entity_when_publish_disabled: { type: 'uri', default: null, doc: 'The same for the callee.' },
  publish_dialog_req_within: { ...ON, doc: 'Requests in the dialog publish what they change.' },
  attribute_display: {
    ...OFF,
    doc: 'Write `display` with the user part of the identity into the elements `target`. RFC 4235 does not know it; display names stand at `identity`.',
  },
  publish_on_trying: { ...OFF, doc: 'Publish answers below 180, for both sides. Profile opensips.' },
  nopublish_flag: {
    ...FLAG,
    doc: 'Requests in the dialog with this message flag publish nothing. OpenSIPS names it, here it is its number.',
  },
  presence_server: { type: 'uri', default: null, doc: 'Next hop of the PUBLISHes; else the one of the core.' },
  caller_spec_param: {
    type: 'string',
    default: null,
    doc: 'Script variable, such as `$avp(caller)`, whose value (name-addr or URI) is the caller instead of From.',
  },
  callee_spec_param: { type: 'string', default: null, doc: 'The same for the callee, instead of To or Request-URI.' },
  osips_ps: {
    ...ON,
    doc: 'Taken, and without effect: `version` is always written, since RFC 4235 section 4.1 demands it.',
  },
  profile: {
    type: 'string',
    default: 'kamailio',
    doc: 'Own. `kamailio` or `opensips`: which events publish, and what the documents show (see above).',
  },
  terminated_lifetime: {
    type: 'int',
    default: 10,
    min: 0,
    max: MAX_SECONDS,
    doc: 'Own. Seconds for which `terminated` is published before the publication is removed. 0: it is removed at once, and nobody learns why the call ended.',
  },
  publish_expires: {
    type: 'int',
    default: 300,
    min: 1,
    max: MAX_SECONDS,
    doc: 'Own. Most seconds in one PUBLISH, refreshed as long as the call lives: after a crash of ours lamps go out within this time.',
  },
  aggregate: {
    ...OFF,
    doc: 'Own. 1: one publication per presentity that lists all its calls, for servers that do not put publications together.',
  },
  heartbeat_interval: {
    type: 'int',
    default: 30,
    min: 1,
    max: 86_400,
    doc: 'Own. Seconds between two questions to the sources which calls live.',
  },
  heartbeat_grace: {
    type: 'int',
    default: 60,
    min: 0,
    max: 86_400,
    doc: 'Own. Seconds after which a call that its source no longer names is over (`timeout`).',
  },
  local_domains: {
    type: 'string',
    default: null,
    doc: 'Own. Hosts of presentities that are published for: names and `/regular expressions/`, with commas between them; a list or a function in TypeScript. None: all. Ports do not matter.',
  },
  privacy: {
    ...ON,
    doc: 'Own. 1: who asks for privacy (`id`, `user` of RFC 3323) is shown to the other side as `sip:anonymous@anonymous.invalid`.',
  },
} as const satisfies Record<string, ParameterSpec>;

type Parameters = OptionsOf<typeof DIALOGINFO_PARAMETERS>;

export interface DialoginfoOptions extends Omit<Parameters, 'profile' | 'localDomains'> {
  /** Where calls come from ... */
  readonly source?: DialogSource;
  /** ... and when there are several. */
  readonly sources?: readonly DialogSource[];
  readonly profile?: 'kamailio' | 'opensips';
  readonly localDomains?: DomainList;
  /** Called with warnings about options and arguments. */
  readonly warn?: (message: string) => void;
}

/** Options, checked and completed. */
export interface Settings extends Required<Omit<Parameters, 'localDomains'>> {
  readonly sources: readonly DialogSource[];
  readonly opensips: boolean;
  /** null: every presentity will do. */
  readonly isLocal: ((uri: string) => boolean) | null;
  /** Script values that are read. */
  readonly variables: readonly string[];
  readonly warn: (message: string) => void;
}

/** @throws PuaError `PUA_ERR_OPTION` that names the option */
export function checkOptions(given: DialoginfoOptions): Settings {
  const { source, sources = [], localDomains = null, warn = () => {}, ...parameters } = given;
  const values = checkParameters('dialoginfo', DIALOGINFO_PARAMETERS, parameters);
  const all = source ? [source, ...sources] : [...sources];
  if (all.length === 0) throw fault('source', 'give one, or several as sources');
  for (const one of all) {
    if (typeof one?.onEvent !== 'function') throw fault('source', 'must be a source of calls, but it has no onEvent()');
  }
  if (values.profile !== 'kamailio' && values.profile !== 'opensips')
    throw fault('profile', `must be kamailio or opensips, not ${JSON.stringify(values.profile)}`);
  checkVariables(values);
  warnOf(values, warn);
  const { pubruriCallerDlgVar, pubruriCalleeDlgVar, localIdentityDlgVar } = values;
  const variables = [values.pubruriCallerAvp, values.pubruriCalleeAvp, values.callerSpecParam, values.calleeSpecParam];
  for (const name of [pubruriCallerDlgVar, pubruriCalleeDlgVar, localIdentityDlgVar]) {
    if (name !== null) variables.push(name, dialogVariable(name));
  }
  return {
    ...values,
    sources: all,
    opensips: values.profile === 'opensips',
    isLocal: values.sendPublishFlag < 0 ? localDomainTest(localDomains) : null,
    variables: variables.filter((name) => name !== null),
    warn,
  };
}

/** How scripts write it. */
export const dialogVariable = (name: string) => `$dlg_var(${name})`;

function fault(option: string, what: string): PuaError {
  return new PuaError('PUA_ERR_OPTION', `dialoginfo ${option}: ${what}`);
}

function checkVariables(values: Required<Parameters>): void {
  if (values.usePubruriAvps === 1) {
    for (const option of ['pubruriCallerAvp', 'pubruriCalleeAvp'] as const) {
      if (!/^\$avp\([^()\s]+\)$/.test(values[option] ?? ''))
        throw fault(
          option,
          `with usePubruriAvps must be an AVP such as $avp(s:uris), not ${values[option] ?? 'missing'}`,
        );
    }
  }
  for (const option of ['callerSpecParam', 'calleeSpecParam'] as const) {
    const value = values[option];
    if (value !== null && !/^\$\w+(?:\(\S+\))?$/.test(value))
      throw fault(option, `must be a script variable such as $avp(caller), not ${value}`);
  }
}

function warnOf(values: Required<Parameters>, warn: (message: string) => void): void {
  for (const side of ['caller', 'callee'] as const) {
    const [dlgVar, entity, flag] =
      side === 'caller'
        ? [values.pubruriCallerDlgVar, values.callerEntityWhenPublishDisabled, values.disableCallerPublishFlag]
        : [values.pubruriCalleeDlgVar, values.calleeEntityWhenPublishDisabled, values.disableCalleePublishFlag];
    if (values.usePubruriAvps === 1 && dlgVar === null)
      warn(
        `pubruri_${side}_dlg_var is not set: a call first heard of after its INVITE has no AVPs, and no presentities`,
      );
    if (entity !== null && flag < 0)
      warn(
        `${side}_entity_when_publish_disabled is for calls only whose source says publish: false, since disable_${side}_publish_flag is not set`,
      );
  }
}
