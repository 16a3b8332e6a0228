/** Requests of applications on their way to the wire, and the answers back. */
import { randomUUID } from 'node:crypto';
import type { Hop, OutgoingRequest } from '@pua/core';
import { type ParsedResponse, parseMessage } from '@pua/sip';
import { listOf, parseAddress } from '../sip/headers.js';
import { type Application, describe } from './application.js';
import { type Dialogs, dialogId, nextInside, type ServerDialog } from './dialogs.js';
import type { Command } from './frames.js';
import type { InviteClient } from './invite-client.js';
import { type Draft, nameAddr, ownContact, readDraft, stackAnswer } from './message.js';
import type { Wire, WireOutcome } from './wire.js';

interface Transaction {
  readonly id: string;
  readonly application: Application;
  readonly dialog: ServerDialog | undefined;
  readonly hop: Hop;
  /** The request as it went out. */
  raw: string;
}

const keyOf = ({ callId, cseq }: ParsedResponse): string => `${callId} ${cseq.number} ${cseq.method}`;

export class Outgoing {
  /** `host:port` that nobody listens on. */
  readonly closed = new Set<string>();
  /** SUBSCRIBEs outside of a dialog for one that the server has: it loses memory each time. */
  leaks = 0;
  readonly #wire: Wire;
  readonly #dialogs: Dialogs;
  readonly #invites: InviteClient;
  readonly #running = new Map<string, Transaction>();

  constructor(wire: Wire, dialogs: Dialogs, invites: InviteClient) {
    this.#wire = wire;
    this.#dialogs = dialogs;
    this.#invites = invites;
  }

  /** `sip|<transaction>|<dialog>[|<proxy>]` with a request. */
  command(application: Application, command: Command): void {
    const [, dialog = '', proxy = ''] = command.arguments;
    try {
      const draft = readDraft(command);
      if (draft.method === 'CANCEL') return this.#invites.cancel(application, command);
      if (draft.method === 'ACK') return this.#invites.ack(application, command);
      if (draft.contentType === undefined && command.body !== '') throw new Error('missing content-type');
      if (dialog === '') this.#outside(application, command, draft, proxy);
      else this.#inside(application, command, draft, dialog);
    } catch (error) {
      application.respond(command.id, 'NOK', (error as Error).message);
    }
  }

  /** A 1xx is passed on as it is. */
  provisional(raw: string): void {
    const message = parseMessage(Buffer.from(raw));
    const transaction = message.kind === 'response' && this.#running.get(keyOf(message));
    if (transaction) this.#answer(transaction, raw);
  }

  #outside(application: Application, command: Command, draft: Draft, proxy: string): void {
    const { random } = this.#wire.sip;
    const callId = draft.callId ?? randomUUID();
    const from = { uri: draft.from?.uri ?? this.#contact(), tag: draft.from?.tag ?? random.token() };
    const to = draft.to ?? { uri: draft.uri, tag: undefined };
    const cseq = draft.cseq ?? 1;
    const id = dialogId(callId, from.tag);
    let dialog: ServerDialog | undefined;
    if (draft.method === 'SUBSCRIBE') {
      if (this.#dialogs.find(id)?.confirmed) this.leaks++;
      const { routes, uri: target } = draft;
      const made = { owner: application, confirmed: false, cseq, routes, target };
      dialog = { id, callId, local: from, remote: { ...to }, ...made };
      this.#dialogs.add(dialog);
    }
    this.#send(application, command, draft, proxy || draft.uri, dialog, {
      callId,
      cseq,
      from,
      to: { uri: to.uri, ...(to.tag === undefined ? {} : { tag: to.tag }) },
      routes: draft.routes,
    });
  }

  #inside(application: Application, command: Command, draft: Draft, id: string): void {
    const dialog = this.#dialogs.find(id);
    if (!dialog) throw new Error('Server error: unable to find dialog for dialog id provided');
    const [route] = dialog.routes;
    // The word of drachtio-srf for whatever the remote target is.
    const uri = draft.uri.includes('placeholder') ? dialog.target : draft.uri;
    this.#send(
      application,
      command,
      { ...draft, uri },
      route ? parseAddress(route).uri : uri,
      dialog,
      nextInside(dialog),
    );
  }

  #send(
    application: Application,
    command: Command,
    draft: Draft,
    target: string,
    dialog: ServerDialog | undefined,
    identity: Pick<OutgoingRequest, 'callId' | 'cseq' | 'from' | 'to' | 'routes'>,
  ): void {
    const hop = this.#wire.resolve(target);
    const closed = this.closed.has(`${hop.host}:${hop.port}`);
    const { method, uri, headers, contentType } = draft;
    const { host, port } = this.#wire.address;
    if (method === 'INVITE') {
      const written = (name: string) => command.headers.find(([given]) => given.toLowerCase() === name)?.[1];
      const invite = {
        from: nameAddr((dialog ? undefined : written('from')) ?? identity.from.uri, host, port),
        to: nameAddr((dialog ? undefined : written('to')) ?? identity.to.uri, host, port),
        contact: ownContact(written('contact') ?? `<${this.#contact()}>`, host, port),
      };
      return this.#invites.send(application, { command, uri, hop, dialog, identity, ...invite }, closed);
    }
    const contact = draft.contact ?? (method === 'SUBSCRIBE' ? this.#contact() : undefined);
    const request: OutgoingRequest = {
      method,
      uri,
      headers,
      hop,
      ...identity,
      ...(contact === undefined ? {} : { contact: ownContact(contact, host, port) }),
      ...(contentType === undefined ? {} : { body: { type: contentType, content: command.body } }),
    };
    const transaction: Transaction = { id: randomUUID(), application, dialog, hop, raw: '' };
    const key = `${identity.callId} ${identity.cseq} ${method}`;
    transaction.raw = this.#wire.request(request, (outcome) => {
      if (this.#running.delete(key)) this.#outcome(transaction, outcome);
    });
    if (transaction.raw === '') throw new Error('requested protocol/transport not available');
    const sent = `${describe('application', transaction.raw, host, port)}|${transaction.id}|Msg sent:|\r\n`;
    application.respond(command.id, 'OK', sent + transaction.raw);
    if (closed) {
      this.#outcome(transaction, { kind: 'unreachable', cause: new Error('ICMP'), sent: true });
    } else this.#running.set(key, transaction);
  }

  #outcome(transaction: Transaction, outcome: WireOutcome): void {
    const { dialog, raw: request } = transaction;
    let raw: string;
    if ('raw' in outcome) raw = outcome.raw;
    else if (outcome.kind === 'timeout') raw = stackAnswer(408, 'Request Timeout', request);
    else raw = stackAnswer(503, 'Service Unavailable', request);
    const message = parseMessage(Buffer.from(raw));
    if (dialog && message.kind === 'response') {
      if (message.cseq.method === 'BYE') this.#dialogs.remove(dialog);
      else if (message.status < 300) this.#established(dialog, message);
      else if (!dialog.confirmed) this.#dialogs.remove(dialog);
    }
    this.#answer(transaction, raw);
  }

  #established(dialog: ServerDialog, { headers }: ParsedResponse): void {
    const contact = headers.get('Contact');
    if (contact !== undefined) dialog.target = parseAddress(contact).uri;
    if (dialog.confirmed) return;
    dialog.confirmed = true;
    dialog.remote.tag = parseAddress(headers.get('To') ?? '').tag;
    const recorded = listOf(headers.all('Record-Route')).reverse();
    if (recorded.length > 0) dialog.routes = recorded;
  }

  #answer({ id, application, dialog, hop }: Transaction, raw: string): void {
    application.deliver(`${describe('network', raw, hop.host, hop.port)}|${id}|${dialog?.id ?? ''}|`, raw);
  }

  #contact(): string {
    const { host, port } = this.#wire.address;
    return `sip:${host}:${port}`;
  }
}
