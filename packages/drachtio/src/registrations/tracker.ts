/**
 * The registrations of an application that is a registrar itself (`srf.register`), from what it answers.
 *
 *   REGISTER ->  middleware  -> the application
 *            <-  401, 403 ...     nothing
 *            <-  200              its Contacts, as long as granted --> bindings --> events
 */
import {
  type Binding,
  type BindingListener,
  channels,
  type Hop,
  type PuaApi,
  PuaError,
  type PuaModule,
  type RegistrationSource,
} from '@pua/core';
import { Bindings, type LocationStore } from '@pua/sources';
import type DrachtioSrf from 'drachtio-srf';
import { proxyUri } from '../addresses.js';
import { RawMessage } from '../raw.js';
import type { AnsweringResponse, Middleware, ReceivedRequest, Srf } from '../srf.js';
import { type Acceptance, onAccepted } from './accepted.js';
import { grantedBy } from './granted.js';

export interface TrackRegistrationsOptions {
  /** What pua_set_publish() would say: is this binding to be published? Absent or undefined: the companion's own rule. */
  readonly publish?: (request: DrachtioSrf.SrfRequest, binding: Binding) => boolean | undefined;
  /** Seconds when neither the 2xx nor the REGISTER says how long. Default 3600. */
  readonly defaultExpires?: number;
  /** Location table that the bindings are told under; default `location`. */
  readonly table?: string;
  /** Keeps them over a restart: `locationTable()` of @pua/sources. Default: nothing does. */
  readonly store?: LocationStore;
  /** false: addresses are users without domain. Default true. */
  readonly useDomain?: boolean;
  /** Bindings of one address, 1 or more; further ones are not told. Default 10. */
  readonly maxContacts?: number;
  /** Bindings in total, 1 or more. Default 1 000 000. */
  readonly maxBindings?: number;
}

export interface RegistrationTracker extends RegistrationSource, PuaModule {
  snapshot(): AsyncIterable<Binding>;
  bindings(aor: string, table?: string): Promise<readonly Binding[]>;
}

class Tracker implements RegistrationTracker {
  readonly name = 'drachtio-registrations';
  readonly #options: TrackRegistrationsOptions;
  #bindings: Bindings | undefined;

  constructor(options: TrackRegistrationsOptions) {
    this.#options = options;
    for (const name of ['defaultExpires', 'maxContacts', 'maxBindings'] as const) {
      const value = options[name];
      if (value === undefined || (Number.isInteger(value) && value >= 1)) continue;
      throw new PuaError('PUA_ERR_OPTION', `trackRegistrations ${name}: must be a whole number from 1, not ${value}`);
    }
  }

  setup({ clock }: PuaApi): void {
    const { store, useDomain, maxContacts, maxBindings } = this.#options;
    this.#bindings = new Bindings({
      clock,
      name: 'trackRegistrations',
      ...(store ? { store } : {}),
      ...(useDomain === undefined ? {} : { useDomain }),
      ...(maxContacts === undefined ? {} : { maxContacts }),
      ...(maxBindings === undefined ? {} : { maxBindings }),
    });
  }

  async start(): Promise<void> {
    await this.#table().open();
  }

  async stop(): Promise<void> {
    const bindings = this.#bindings;
    this.#bindings = undefined;
    await bindings?.close();
  }

  onEvent(listener: BindingListener): () => void {
    return this.#table().onEvent(listener);
  }

  snapshot(): AsyncIterable<Binding> {
    return this.#table().snapshot();
  }

  bindings(aor: string, table = this.#options.table): Promise<readonly Binding[]> {
    return this.#table().bindings(aor, table);
  }

  readonly middleware: Middleware = (request, response, next) => {
    // A handler can't be taken out of an Srf again: while we are stopped it only passes on.
    if (this.#bindings) onAccepted(response as AnsweringResponse, (answer) => this.#accepted(request, answer));
    next();
  };

  #accepted(request: ReceivedRequest, answer: Acceptance): void {
    try {
      this.#register(request, answer);
    } catch (error) {
      this.#fault(error);
    }
  }

  #register(request: ReceivedRequest, answer: Acceptance): void {
    const { defaultExpires = 3600, table, publish } = this.#options;
    const granted = grantedBy(new RawMessage(request.raw), answer, defaultExpires);
    if (!granted || !this.#bindings) return;
    const { source_address, source_port, protocol } = request;
    const source: Hop = {
      transport: protocol as Hop['transport'],
      host: source_address.replace(/[[\]]/g, ''),
      port: source_port,
    };
    const result = this.#bindings.register({
      ...granted,
      received: proxyUri(source),
      ...(table === undefined ? {} : { table }),
      ...(publish
        ? { publish: (binding: Binding) => publish(request as unknown as DrachtioSrf.SrfRequest, binding) }
        : {}),
    });
    if ('fault' in result) this.#fault(new Error(`${granted.aor}: ${result.reason}`));
  }

  /** The application goes on as if nothing was. */
  #fault(error: unknown): void {
    channels.fault.publish({ type: 'fault', where: 'trackRegistrations', error });
  }

  #table(): Bindings {
    if (this.#bindings) return this.#bindings;
    throw new PuaError(
      'PUA_ERR_STATE',
      'trackRegistrations: pua.use(...) it first, before what takes it as its source',
    );
  }
}

/**
 * A source of the registrations that an application accepts with `srf.register((req, res) => res.send(200, ...))`. Call it
 * before the application's own handlers.
 * @throws PuaError `PUA_ERR_OPTION`
 */
export function trackRegistrations(srf: DrachtioSrf, options: TrackRegistrationsOptions = {}): RegistrationTracker {
  const tracker = new Tracker(options);
  (srf as unknown as Srf).use('register', tracker.middleware);
  return tracker;
}
