/**
 * INVITEs from the wire on their way to applications.
 *
 *   INVITE ->              INVITE -> application
 *          <- 100
 *          <- 180, 200                <- 180, 200         the 200 makes the dialog
 *   ACK ->                    ACK -> application          none after 64*T1: the server says BYE
 *   CANCEL ->              CANCEL -> application          the server itself says 200, and 487 to the INVITE
 */
import { randomUUID } from 'node:crypto';
import type { Hop, Timer } from '@pua/core';
import { answerTo, branchOf, Message } from '../phone/message.js';
import { parseAddress } from '../sip/headers.js';
import { type Application, type Applications, describe } from './application.js';
import { type Dialogs, dialogId, nextInside, type ServerDialog } from './dialogs.js';
import type { Command } from './frames.js';
import { bodyType, passedBack } from './message.js';
import type { Wire } from './wire.js';

interface Invite {
  /** Name of the transaction. */
  readonly id: string;
  readonly message: Message;
  readonly source: Hop;
  readonly application: Application;
  readonly dialogId: string;
  /** What it is sent in, or what its 200 has made. */
  dialog: ServerDialog | undefined;
  /** The server's. */
  readonly tag: string;
  /** The last response. */
  last: Message;
  /** Runs from a 200 to its ACK. */
  late: Timer | undefined;
}

export class InviteServer {
  readonly #wire: Wire;
  readonly #dialogs: Dialogs;
  readonly #applications: Applications;
  /** Those that have no final response yet, by transaction. */
  readonly #open = new Map<string, Invite>();
  /** Those that have not been acknowledged yet, by branch. */
  readonly #invites = new Map<string, Invite>();

  constructor(wire: Wire, dialogs: Dialogs, applications: Applications) {
    this.#wire = wire;
    this.#dialogs = dialogs;
    this.#applications = applications;
  }

  request(message: Message, raw: string, source: Hop): void {
    if (message.method === 'INVITE') this.#invite(message, raw, source);
    else if (message.method === 'ACK') this.#ack(message, raw, source);
    else this.#cancel(message, raw, source);
  }

  /** `sip|<transaction>|` with a response; false: to no INVITE that waits for one. */
  command(application: Application, command: Command): boolean {
    const invite = this.#open.get(command.arguments[0] ?? '');
    if (!invite) return false;
    const [, code = '500', reason = ''] = /^SIP\/2\.0 (\d+) (.*)$/.exec(command.startLine) ?? [];
    const status = Number(code);
    const { host, port } = this.#wire.address;
    const given = passedBack(command.headers, host, port);
    const answer = answerTo(invite.message, status, reason, status === 100 ? '' : invite.tag, [
      ...given,
      // A 2xx has the server's own Contact when it is given none.
      ...(status < 200 || status >= 300 || given.some(([name]) => name === 'Contact')
        ? []
        : [['Contact', `<sip:${host}:${port}>`] as const]),
      ...bodyType(command),
    ]);
    const raw = this.#answer(invite, new Message(answer.start, answer.fields, command.body));
    if (status >= 200) this.#open.delete(invite.id);
    if (status >= 200 && status < 300) this.#accepted(invite);
    const described = describe('application', raw, host, port);
    application.respond(command.id, 'OK', `${described}|${invite.id}|${invite.dialogId}||Msg sent:|\r\n${raw}`);
    return true;
  }

  stop(): void {
    for (const { late } of this.#invites.values()) late?.cancel();
    this.#invites.clear();
    this.#open.clear();
  }

  #invite(message: Message, raw: string, source: Hop): void {
    const known = this.#invites.get(branchOf(message));
    if (known) {
      this.#wire.send(known.last, source);
      return;
    }
    const callId = message.get('Call-ID');
    const { tag } = parseAddress(message.get('To'));
    const dialog = tag === undefined ? undefined : this.#dialogs.of(callId, tag);
    const application = tag === undefined ? this.#applications.next('INVITE') : dialog?.owner;
    if (!application?.connected) {
      const [status, reason] = tag === undefined ? [503, 'Service Unavailable'] : [481, 'No Such Dialog'];
      this.#wire.send(answerTo(message, status, reason, this.#token()), source);
      return;
    }
    const invite: Invite = {
      id: randomUUID(),
      message,
      source,
      application,
      dialogId: dialog?.id ?? dialogId(callId, parseAddress(message.get('From')).tag ?? ''),
      dialog,
      tag: tag ?? this.#token(),
      last: answerTo(message, 100, 'Trying', ''),
      late: undefined,
    };
    this.#open.set(invite.id, invite);
    this.#invites.set(branchOf(message), invite);
    this.#wire.send(invite.last, source);
    this.#deliver(invite, raw, invite.id, dialog?.id ?? '');
  }

  #answer(invite: Invite, answer: Message): string {
    invite.last = answer;
    return this.#wire.send(answer, invite.source);
  }

  #accepted(invite: Invite): void {
    const { message, application, tag } = invite;
    const target = parseAddress(message.get('Contact')).uri;
    if (invite.dialog) invite.dialog.target = target;
    else {
      const from = parseAddress(message.get('From'));
      invite.dialog = {
        id: invite.dialogId,
        callId: message.get('Call-ID'),
        local: { uri: parseAddress(message.get('To')).uri, tag },
        remote: { uri: from.uri, tag: from.tag },
        owner: application,
        confirmed: true,
        cseq: 0,
        routes: message.all('Record-Route'),
        target,
      };
      this.#dialogs.add(invite.dialog);
    }
    invite.late = this.#wire.sip.clock.after(64 * this.#wire.t1, () => this.#hangUp(invite, 'ACK timeout'));
  }

  #ack(message: Message, raw: string, source: Hop): void {
    const refused = this.#invites.get(branchOf(message));
    if (refused) {
      this.#invites.delete(branchOf(message));
      return;
    }
    const dialog = this.#dialogs.of(message.get('Call-ID'), parseAddress(message.get('To')).tag ?? '');
    const invite = [...this.#invites.values()].find((one) => one.late && one.dialog === dialog);
    if (!dialog || !invite) return;
    this.#forget(invite);
    this.#deliver({ ...invite, source }, raw, randomUUID(), dialog.id);
  }

  #cancel(message: Message, raw: string, source: Hop): void {
    const invite = this.#invites.get(branchOf(message));
    if (!invite || !this.#open.delete(invite.id)) {
      this.#wire.send(answerTo(message, 481, 'No Such Transaction', this.#token()), source);
      if (invite?.late) this.#hangUp(invite, 'CANCEL after 200 OK');
      return;
    }
    this.#wire.send(answerTo(message, 200, 'OK', invite.tag), source);
    this.#answer(invite, answerTo(invite.message, 487, 'Request Terminated', invite.tag));
    this.#deliver(invite, raw, invite.id, invite.dialogId);
  }

  /** The server itself ends a dialog, and tells the application. */
  #hangUp(invite: Invite, why: string): void {
    const { dialog, application } = invite;
    this.#forget(invite);
    if (!dialog) return;
    this.#dialogs.remove(dialog);
    const { host, port } = this.#wire.address;
    const raw = this.#wire.request(
      {
        method: 'BYE',
        uri: dialog.target,
        headers: [['Reason', `SIP ;cause=200 ;text="${why}"`]],
        hop: this.#wire.resolve(dialog.routes[0] ? parseAddress(dialog.routes[0]).uri : dialog.target),
        ...nextInside(dialog),
      },
      () => undefined,
    );
    application.deliver(`${describe('application', raw, host, port)}|unsolicited|${dialog.id}|`, raw);
  }

  #forget(invite: Invite): void {
    invite.late?.cancel();
    this.#invites.delete(branchOf(invite.message));
  }

  #deliver({ application, source: { host, port } }: Invite, raw: string, id: string, dialog: string): void {
    application.deliver(`${describe('network', raw, host, port)}|${id}|${dialog}|`, raw);
  }

  #token(): string {
    return this.#wire.sip.random.token();
  }
}
