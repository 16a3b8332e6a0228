/**
 * The registrar (RFC 3261 section 10.3), and the tap on one that stands elsewhere.
 *
 *   phone --REGISTER--> registrar()                         domains and users: steps 1 to 8
 *   phone --REGISTER--> Kamailio --REGISTER--> registrar()  trusted: steps 5 to 8, nothing is refused that Kamailio took
 */
import {
  type Binding,
  type BindingListener,
  channels,
  type IncomingRequest,
  type PuaApi,
  PuaError,
  type PuaModule,
  type RegistrationSink,
  type RegistrationSource,
  type SinkMeta,
} from '@pua/core';
import { Bindings, type ContactUpdate, canonicalAor, type RegistrationFault } from '../location/index.js';
import { accepted, TOKEN } from './answer.js';
import { type Admitted, Guard } from './guard.js';
import { Nonces } from './nonces.js';
import { type CheckedRegistrarOptions, checkRegistrarOptions, type RegistrarOptions } from './options.js';
import { flowsOf } from './outbound.js';
import { receivedByProxy, sourceUri } from './received.js';
import { domainOf, isRefusal, optionTags, type Refusal, type RegisterRequest, readRegister } from './request.js';
import type { Users } from './users.js';

/** Option tags for `supported` of the engine, so that it lets pass the REGISTERs that require them. */
export const REGISTRAR_EXTENSIONS: readonly string[] = ['path', 'outbound'];

/** REGISTERs that wait until the bindings are read. */
const MAX_HELD = 10_000;
const BUSY: Refusal = { status: 503, headers: [['Retry-After', '10']] };

const STATUS: Readonly<Record<RegistrationFault, number>> = {
  malformed: 400,
  'out-of-order': 400,
  'too-many-contacts': 403,
  full: 503,
};

export class Registrar implements RegistrationSource, RegistrationSink, PuaModule {
  readonly name = 'registrar';
  readonly useDomain: boolean;
  readonly #options: CheckedRegistrarOptions;
  #pua: PuaApi | undefined;
  #bindings: Bindings | undefined;
  #users: Users | undefined;
  #guard: Guard | undefined;
  /** REGISTERs that came before the bindings were there. */
  #held: IncomingRequest[] | undefined = [];
  #stopped = false;

  constructor(given: RegistrarOptions) {
    this.#options = checkRegistrarOptions(given);
    this.useDomain = this.#options.useDomain === 1;
  }

  // -------------------------------------------------------------------------------------------------- module

  setup(pua: PuaApi): void {
    const { store, maxContacts, maxBindings, users, realm, algorithms, nonceExpire } = this.#options;
    const { clock, random } = pua;
    const { name, useDomain } = this;
    this.#pua = pua;
    this.#bindings = new Bindings({ clock, useDomain, maxContacts, maxBindings, name, ...(store ? { store } : {}) });
    if (users) {
      this.#users = users(clock);
      const nonces = new Nonces({ clock, random, lifetime: nonceExpire });
      this.#guard = new Guard({ users: this.#users, nonces, realm: realm ?? undefined, algorithms });
    }
    pua.handle('REGISTER', (request) => this.#incoming(request));
  }

  async start(): Promise<void> {
    await this.#table().open();
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const request of held) this.#incoming(request);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const request of this.#held ?? []) refuse(request, BUSY);
    this.#held = undefined;
    await this.#bindings?.close();
    await this.#users?.close();
  }

  #table(): Bindings {
    if (!this.#bindings)
      throw new PuaError('PUA_ERR_STATE', 'registrar: pua.use(registrar) it first, before what takes it as its source');
    return this.#bindings;
  }

  // -------------------------------------------------------------------------------------------------- source and sink

  onEvent(listener: BindingListener): () => void {
    return this.#table().onEvent(listener);
  }
  snapshot(): AsyncIterable<Binding> {
    return this.#table().snapshot();
  }
  bindings(aor: string, table?: string): Promise<readonly Binding[]> {
    return this.#table().bindings(aor, table);
  }
  upsert(binding: Binding, meta: SinkMeta): Promise<'inserted' | 'updated'> {
    return this.#table().upsert(binding, meta);
  }
  remove(aor: string, contactKey: string, meta: SinkMeta & { readonly event: string }): Promise<boolean> {
    return this.#table().remove(aor, contactKey, meta);
  }
  removeAll(aor: string, meta: SinkMeta): Promise<number> {
    return this.#table().removeAll(aor, meta);
  }
  listOwned(aor: string, subscriptionId: string): Promise<readonly Binding[]> {
    return this.#table().listOwned(aor, subscriptionId);
  }

  // -------------------------------------------------------------------------------------------------- REGISTER

  #incoming(request: IncomingRequest): void {
    if (this.#stopped) return refuse(request, BUSY);
    if (this.#held) {
      if (this.#held.length < MAX_HELD) this.#held.push(request);
      else refuse(request, BUSY);
      return;
    }
    if (this.#options.trusted.has(request.source.host)) return this.#tap(request);
    const register = this.#admissible(request);
    if (isRefusal(register)) return refuse(request, register);
    const admitted = this.#guard!.check(register);
    if (admitted instanceof Promise) {
      admitted
        .then((verdict) => this.#judged(register, verdict))
        .catch((error: unknown) => {
          channels.fault.publish({ type: 'fault', where: 'registrar: REGISTER', error });
          refuse(request, BUSY);
        });
    } else this.#judged(register, admitted);
  }

  /** Steps 1, 2 and 5: all that needs no secret. */
  #admissible(request: IncomingRequest): RegisterRequest | Refusal {
    const { domains } = this.#options;
    if (!this.#guard) return { status: 403, reason: 'Not A Trusted Address' };
    if (!domains!.has(domainOf(canonicalAor(request.uri) ?? '')))
      return { status: 404, reason: 'Not A Domain Of This Registrar' };
    const unknown = optionTags(request.headers, 'Require').filter((tag) => !REGISTRAR_EXTENSIONS.includes(tag));
    if (unknown.some((tag) => !TOKEN.test(tag))) return { status: 400, reason: 'Malformed Require' };
    if (unknown.length > 0) return { status: 420, headers: [['Unsupported', unknown.join(', ')]] };
    const register = readRegister(request);
    if (!isRefusal(register) && !domains!.has(register.domain)) return NOT_HERE;
    return register;
  }

  #judged(register: RegisterRequest, verdict: Admitted | Refusal): void {
    const { request } = register;
    // The user may have been looked up for so long that it has been stopped meanwhile.
    if (this.#stopped) return refuse(request, BUSY);
    if (isRefusal(verdict)) return refuse(request, verdict);
    const flows = flowsOf(register);
    if (isRefusal(flows)) return refuse(request, flows);
    const contacts = this.#updates(register, this.#options.minExpires, flows.kept);
    if (isRefusal(contacts)) return refuse(request, contacts);
    this.#apply(register, contacts, sourceUri(request.source), flows.promised, verdict.username);
  }

  #tap(request: IncomingRequest): void {
    const register = readRegister(request);
    if (isRefusal(register)) return refuse(request, register);
    if (this.#options.domains?.has(register.domain) === false) return refuse(request, NOT_HERE);
    const contacts = this.#updates(register, 0, true);
    if (isRefusal(contacts)) return refuse(request, contacts);
    const told = register.contacts === '*' ? undefined : register.contacts.find(({ received }) => received)?.received;
    this.#apply(register, contacts, told ?? receivedByProxy(register), false, undefined);
  }

  /** Step 7: lifetimes. */
  #updates(register: RegisterRequest, least: number, flows: boolean): readonly ContactUpdate[] | '*' | Refusal {
    const { contacts } = register;
    if (contacts === '*') return contacts;
    const { defaultExpires, maxExpires } = this.#options;
    for (const contact of contacts) {
      const asked = contact.expires < 0 ? (register.expires ?? defaultExpires) : contact.expires;
      if (asked > 0 && asked < least) return { status: 423, headers: [['Min-Expires', String(least)]] };
      contact.expires = maxExpires > 0 ? Math.min(asked, maxExpires) : asked;
      if (!flows && contact.regId !== undefined) delete contact.regId;
    }
    return contacts;
  }

  /** Steps 7 and 8. */
  #apply(
    register: RegisterRequest,
    contacts: readonly ContactUpdate[] | '*',
    received: string,
    outbound: boolean,
    username: string | undefined,
  ): void {
    const { request, aor, callId, cseq, path, fromUri } = register;
    const userAgent = request.headers.get('User-Agent');
    const { publish } = this.#options;
    const result = this.#table().register({
      aor,
      callId,
      cseq,
      contacts,
      received,
      fromUri,
      path,
      userAgent,
      publish: publish && asked(publish, register, username),
    });
    if ('fault' in result) {
      const { fault, reason } = result;
      return refuse(request, fault === 'full' ? BUSY : { status: STATUS[fault], reason });
    }
    request.reply(200, accepted(register, result.bindings, this.#pua!.clock.wall(), outbound));
  }
}

/** What `publish` is asked with, once per binding. */
function asked(
  publish: NonNullable<RegistrarOptions['publish']>,
  { request, fromUri, toUri }: RegisterRequest,
  username: string | undefined,
): (binding: Binding) => boolean | undefined {
  const { uri, source, headers } = request;
  const trusted = username === undefined;
  const info = { uri, fromUri, toUri, source, trusted, headers, ...(trusted ? {} : { username }) };
  return (binding) => publish(info, binding);
}

const NOT_HERE: Refusal = { status: 404, reason: 'No Such Address Here' };

function refuse(request: IncomingRequest, { status, headers, reason }: Refusal): void {
  request.reply(status, headers, reason);
}
