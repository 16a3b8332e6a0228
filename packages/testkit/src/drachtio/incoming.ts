/** Requests from the wire on their way to applications, and the answers back. */
import { randomUUID } from 'node:crypto';
import type { IncomingRequest } from '@pua/core';
import { parseAddress } from '../sip/headers.js';
import { type Application, type Applications, describe } from './application.js';
import type { Dialogs, ServerDialog } from './dialogs.js';
import type { Command } from './frames.js';
import { passedBack } from './message.js';
import type { Wire } from './wire.js';

interface Waiting {
  readonly request: IncomingRequest;
  readonly dialog: ServerDialog | undefined;
}

export class Incoming {
  readonly #wire: Wire;
  readonly #dialogs: Dialogs;
  readonly #applications: Applications;
  readonly #waiting = new Map<string, Waiting>();

  constructor(wire: Wire, dialogs: Dialogs, applications: Applications) {
    this.#wire = wire;
    this.#dialogs = dialogs;
    this.#applications = applications;
  }

  request(request: IncomingRequest, raw: string): void {
    const { headers } = request;
    const tag = parseAddress(headers.get('To') ?? '').tag ?? '';
    const dialog = this.#dialogs.of(headers.get('Call-ID') ?? '', tag);
    const over = /^\s*terminated/i.test(headers.get('Subscription-State') ?? '');
    if (dialog && (over || request.method === 'BYE')) this.#dialogs.remove(dialog);
    const application = dialog?.owner ?? this.#applications.next(request.method);
    if (!application?.connected) {
      // The link that the dialog belongs to is gone for ever, or nobody takes such requests.
      request.reply(dialog ? 481 : 503);
      return;
    }
    const id = randomUUID();
    const { host, port } = request.source;
    application.deliver(`${describe('network', raw, host, port)}|${id}|${dialog?.confirmed ? dialog.id : ''}|`, raw);
    // Too early or too late for a dialog of the server's: it answers by itself, whatever the application says.
    if (dialog && (over || !dialog.confirmed)) request.reply(500);
    else this.#waiting.set(id, { request, dialog });
  }

  /** `sip|<transaction>|` with a response. */
  command(application: Application, command: Command): void {
    const [id = ''] = command.arguments;
    const waiting = this.#waiting.get(id);
    if (!waiting) {
      application.respond(command.id, 'NOK', 'Response not sent due to unknown transaction');
      return;
    }
    const [, status = '500', reason = ''] = /^SIP\/2\.0 (\d+) (.*)$/.exec(command.startLine) ?? [];
    if (Number(status) >= 200) this.#waiting.delete(id);
    const { host, port } = this.#wire.address;
    const headers = passedBack(command.headers, host, port);
    const raw = this.#wire.reply(waiting.request, Number(status), headers, reason);
    const described = describe('application', raw, host, port);
    application.respond(command.id, 'OK', `${described}|${id}|${waiting.dialog?.id ?? ''}||Msg sent:|\r\n${raw}`);
  }
}
