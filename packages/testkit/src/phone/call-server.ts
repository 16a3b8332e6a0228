/**
 * A small call server on loopback UDP: relays REGISTERs to a registrar and remembers what it accepted, relays calls to
 * all contacts of the callee, and tells what becomes of each call. A forking proxy (RFC 3261 16) without retransmissions.
 */
import { randomBytes } from 'node:crypto';
import type { DialogEvent, DialogParty, DialogReason, DialogState } from '@pua/core';
import { addressOfRecord, parseAddress } from '../sip/headers.js';
import { answerTo, branchOf, type Message } from './message.js';
import { MessageSocket } from './socket.js';

export interface CallServerOptions {
  /** URI to which REGISTERs go. */
  readonly registrar: string;
  /** Every change of a call, in order. */
  readonly onDialog?: (event: DialogEvent) => void;
}

interface Branch {
  readonly id: string;
  readonly invite: Message;
  readonly contact: string;
  final: number;
}

interface Call {
  readonly invite: Message;
  readonly branches: Branch[];
  readonly startedAt: number;
  /** Highest provisional told, by tag of the callee. */
  readonly told: Set<string>;
  callee: DialogParty;
  state: DialogState;
  cancelled: boolean;
  answered: boolean;
}

const RANK: Readonly<Record<DialogState, number>> = { trying: 0, proceeding: 1, early: 2, confirmed: 3, terminated: 4 };
const token = () => randomBytes(8).toString('hex');

export class CallServer {
  /** Contacts by address-of-record. */
  readonly #contacts = new Map<string, Set<string>>();
  readonly #calls = new Map<string, Call>();
  readonly #branches = new Map<string, Call>();
  readonly #socket: MessageSocket;
  readonly #options: CallServerOptions;

  private constructor(options: CallServerOptions, socket: MessageSocket) {
    this.#options = options;
    this.#socket = socket;
    socket.onMessage = (message) => (message.isRequest ? this.#request(message) : this.#response(message));
  }

  static async start(options: CallServerOptions): Promise<CallServer> {
    return new CallServer(options, await MessageSocket.open());
  }

  /** Ends without a word: the calls go on, but nobody hears of their end. */
  stop(): Promise<void> {
    return this.#socket.close();
  }

  get uri(): string {
    return `sip:${this.#socket.address}`;
  }

  /** Calls that live. */
  get calls(): number {
    return this.#calls.size;
  }

  // ------------------------------------------------------------------------------------------------ requests

  #request(request: Message): void {
    const { method } = request;
    if (method === 'REGISTER') return this.#forward(request, this.#options.registrar);
    if (method === 'CANCEL') return this.#cancel(request);
    const toTag = parseAddress(request.get('To')).tag;
    if (method === 'INVITE' && toTag === undefined) return this.#invite(request);
    const routes = request.all('Route');
    // The ACK of a final response that was no 2xx is for us.
    if (routes.length === 0) return;
    request.set('Route', ...routes.slice(1));
    if (method === 'BYE') this.#bye(request);
    const next = routes[1] === undefined ? request.uri : parseAddress(routes[1]).uri;
    this.#forward(request, next);
  }

  #forward(request: Message, uri: string, branch = `z9hG4bK${token()}`): void {
    const copy = request.copy();
    copy.set('Max-Forwards', String(Number(request.get('Max-Forwards') || 70) - 1));
    copy.set('Via', `SIP/2.0/UDP ${this.#socket.address};branch=${branch}`, ...request.all('Via'));
    this.#socket.send(copy, uri);
  }

  #invite(invite: Message): void {
    const key = callKey(invite);
    if (this.#calls.has(key)) return;
    this.#socket.respond(answerTo(invite, 100, 'Trying', ''));
    const contacts = [...(this.#contacts.get(addressOfRecord(invite.uri)) ?? [])];
    const to = parseAddress(invite.get('To'));
    const call: Call = {
      invite,
      branches: [],
      startedAt: Date.now(),
      told: new Set(),
      callee: { uri: to.uri, ...display(invite.get('To')) },
      state: 'trying',
      cancelled: false,
      answered: false,
    };
    this.#calls.set(key, call);
    this.#tell(call, 'created');
    if (contacts.length === 0) return this.#finish(call, 404, 'Not Found');
    for (const contact of contacts) {
      const copy = invite.copy();
      copy.start = `INVITE ${contact} SIP/2.0`;
      copy.set('Record-Route', `<sip:${this.#socket.address};lr>`, ...invite.all('Record-Route'));
      const branch: Branch = { id: `z9hG4bK${token()}`, invite: copy, contact, final: 0 };
      call.branches.push(branch);
      this.#branches.set(branch.id, call);
      this.#forward(copy, contact, branch.id);
    }
  }

  #cancel(cancel: Message): void {
    this.#socket.respond(answerTo(cancel, 200, 'OK', token()));
    const call = this.#calls.get(callKey(cancel));
    if (!call || call.answered) return;
    call.cancelled = true;
    this.#cancelBranches(call);
  }

  #cancelBranches(call: Call, except?: Branch): void {
    for (const branch of call.branches) {
      if (branch === except || branch.final > 0) continue;
      const cancel = branch.invite.copy();
      cancel.start = `CANCEL ${branch.contact} SIP/2.0`;
      cancel.set('CSeq', `${branch.invite.cseq} CANCEL`).set('Contact').set('Record-Route');
      cancel.set('Via', `SIP/2.0/UDP ${this.#socket.address};branch=${branch.id}`);
      this.#socket.send(cancel, branch.contact);
    }
  }

  #bye(bye: Message): void {
    const call = this.#calls.get(callKey(bye));
    if (!call) return;
    const byCaller = parseAddress(bye.get('From')).tag === parseAddress(call.invite.get('From')).tag;
    this.#end(call, 'terminated', { event: 'bye', by: byCaller ? 'caller' : 'callee' });
  }

  // ----------------------------------------------------------------------------------------------- responses

  #response(response: Message): void {
    const vias = response.all('Via').slice(1);
    const call = this.#branches.get(branchOf(response));
    if (response.method === 'INVITE' && call) return this.#inviteResponse(call, response, vias);
    if (response.method === 'CANCEL' || vias.length === 0) return;
    if (response.method === 'REGISTER' && response.status === 200) this.#registered(response);
    this.#socket.respond(response.copy().set('Via', ...vias));
  }

  #registered(response: Message): void {
    const contacts = response.all('Contact').map((value) => parseAddress(value).uri);
    this.#contacts.set(addressOfRecord(parseAddress(response.get('To')).uri), new Set(contacts));
  }

  #inviteResponse(call: Call, response: Message, vias: readonly string[]): void {
    const branch = call.branches.find(({ id }) => id === branchOf(response))!;
    const { status } = response;
    const upstream = response.copy().set('Via', ...vias);
    if (status === 100) return;
    if (status < 200) {
      this.#socket.respond(upstream);
      return this.#provisional(call, response);
    }
    branch.final = status;
    if (status >= 300) {
      const ack = branch.invite.copy();
      ack.start = `ACK ${branch.contact} SIP/2.0`;
      ack.set('Via', `SIP/2.0/UDP ${this.#socket.address};branch=${branch.id}`);
      ack.set('To', response.get('To')).set('CSeq', `${branch.invite.cseq} ACK`).set('Record-Route');
      this.#socket.send(ack, branch.contact);
      if (call.answered || call.branches.some(({ final }) => final === 0)) return;
      // The lowest is the best (RFC 3261 16.7.6).
      const best = Math.min(...call.branches.map(({ final }) => final));
      return this.#finish(call, best, best === status ? response.reason : 'Rejected');
    }
    this.#socket.respond(upstream);
    if (call.answered) return;
    call.answered = true;
    this.#cancelBranches(call, branch);
    call.callee = calleeOf(call, response);
    this.#become(call, 'confirmed', 'confirmed');
  }

  #provisional(call: Call, response: Message): void {
    const callee = calleeOf(call, response);
    const tag = callee.tag ?? '';
    if (call.answered || call.told.has(tag)) return;
    call.told.add(tag);
    call.callee = callee;
    this.#become(call, tag === '' ? 'proceeding' : 'early', 'early');
  }

  /** Nobody took the call. */
  #finish(call: Call, status: number, reason: string): void {
    this.#socket.respond(answerTo(call.invite, status, reason, token()));
    const event = call.cancelled ? 'cancelled' : 'rejected';
    this.#end(call, 'failed', { event, code: status, ...(call.cancelled ? { by: 'caller' } : {}) });
  }

  // ---------------------------------------------------------------------------------------------------- calls

  #become(call: Call, state: DialogState, kind: DialogEvent['kind']): void {
    if (RANK[state] >= RANK[call.state]) call.state = state;
    this.#tell(call, kind);
  }

  #end(call: Call, kind: DialogEvent['kind'], reason: DialogReason): void {
    call.state = 'terminated';
    this.#calls.delete(callKey(call.invite));
    for (const { id } of call.branches) this.#branches.delete(id);
    this.#tell(call, kind, reason);
  }

  #tell(call: Call, kind: DialogEvent['kind'], reason?: DialogReason): void {
    const { invite, callee, state, startedAt } = call;
    const from = parseAddress(invite.get('From'));
    this.#options.onDialog?.({
      kind,
      dialog: {
        key: callKey(invite),
        callId: invite.get('Call-ID'),
        caller: {
          uri: from.uri,
          ...display(invite.get('From')),
          ...(from.tag ? { tag: from.tag } : {}),
          contact: parseAddress(invite.get('Contact')).uri,
        },
        callee,
        requestUri: invite.uri,
        state,
        startedAt,
        ...(reason ? { reason } : {}),
      },
    });
  }
}

/** A Call-ID is that of one call here. */
function callKey(message: Message): string {
  return message.get('Call-ID');
}

function calleeOf(call: Call, response: Message): DialogParty {
  const { tag } = parseAddress(response.get('To'));
  const contact = parseAddress(response.get('Contact')).uri;
  return { ...call.callee, ...(tag ? { tag } : {}), ...(contact === '' ? {} : { contact }) };
}

function display(address: string): { readonly display?: string } {
  const quoted = /^\s*"((?:[^"\\]|\\.)*)"\s*</.exec(address)?.[1]?.replace(/\\(.)/g, '$1');
  const plain = /^\s*([^"<]+?)\s*</.exec(address)?.[1];
  const name = quoted ?? plain;
  return name === undefined || name === '' ? {} : { display: name };
}
