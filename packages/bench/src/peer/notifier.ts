/**
 * A notifier that keeps a window of NOTIFYs outstanding, in turn over the dialogs that were opened:
 *
 *   SUBSCRIBE ->   <- 200   <- NOTIFY   200 ->           ... and when told: <- NOTIFY   200 ->   <- NOTIFY   200 -> ...
 *
 * `static`: the same bytes again and again to the port it is told, whatever the answer is.
 */
import type { RemoteInfo } from 'node:dgram';
import { pidf } from '../load/document.js';
import { loopbackSocket } from '../load/loopback.js';
import { accepted, headOf, line } from './datagram.js';
import { ready } from './peer.js';

const HOST = '127.0.0.1';

interface Dialog {
  /** Up to CSeq's number, and behind it. */
  readonly before: string;
  readonly after: string;
  readonly port: number;
  cseq: number;
}

const fixed = process.argv[2] === 'static';
const socket = loopbackSocket();
const dialogs: Dialog[] = [];
/** By Call-ID, for a SUBSCRIBE that comes again. */
const answers = new Map<string, Buffer>();
let own = '';
let sent = 0;
let running = false;

function dialogOf(head: string, toTag: string, port: number): Dialog {
  const [target, watcher, presentity, contact] = [
    /<([^>]+)>/.exec(line(head, 'Contact'))![1]!,
    line(head, 'From').slice('From: '.length),
    line(head, 'To').slice('To: '.length, -2),
    `<sip:${own}>`,
  ];
  const body = pidf(/<([^>]+)>/.exec(presentity)![1]!, dialogs.length);
  return {
    before: `NOTIFY ${target} SIP/2.0\r\nVia: SIP/2.0/UDP ${own};branch=z9hG4bK`,
    after: `Max-Forwards: 70\r\nFrom: ${presentity};tag=${toTag}\r\nTo: ${watcher}${line(
      head,
      'Call-ID',
    )}Contact: ${contact}\r\nEvent: presence\r\nSubscription-State: active;expires=3600\r\nContent-Type: application/pidf+xml\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    port,
    cseq: 0,
  };
}

function notify(dialog: Dialog): void {
  const { before, after, port } = dialog;
  const text = `${before}${(sent++).toString(36)}\r\nCSeq: ${++dialog.cseq} NOTIFY\r\n${after}`;
  socket.send(Buffer.from(text, 'latin1'), port, HOST);
}

/** Of a dialog that nobody opened: what NOTIFYs look like, always the same. */
let datagram = Buffer.alloc(0);
let to = 0;

function next(): void {
  if (fixed) socket.send(datagram, to, HOST);
  else notify(dialogs[sent % dialogs.length]!);
}

function subscribed(head: string, port: number): void {
  const callId = line(head, 'Call-ID');
  const answered = answers.get(callId);
  if (answered) {
    socket.send(answered, port, HOST);
    return;
  }
  const toTag = `n${dialogs.length}`;
  const answer = accepted(head, toTag, `Contact: <sip:${own}>\r\n`);
  answers.set(callId, answer);
  socket.send(answer, port, HOST);
  const dialog = dialogOf(head, toTag, port);
  dialogs.push(dialog);
  notify(dialog);
}

function received(bytes: Buffer, { port }: RemoteInfo): void {
  const head = fixed ? 'SIP/2.0 200' : headOf(bytes);
  if (head.startsWith('SUBSCRIBE ')) subscribed(head, port);
  else if (!head.startsWith('SIP/2.0 200')) throw new Error(`a NOTIFY was not accepted:\n${head}`);
  else if (running) next();
}

socket.on('message', received);
socket.bind(0, HOST, () => {
  const { port } = socket.address();
  own = `${HOST}:${port}`;
  const head =
    'SUBSCRIBE sip:user0000001@example.com SIP/2.0\r\nFrom: <sip:watcher@example.com>;tag=abcdefghijklmn\r\n' +
    'To: <sip:user0000001@example.com>\r\nCall-ID: abcdefghijklmn\r\nContact: <sip:watcher@127.0.0.1:50000>\r\n';
  const { before, after } = dialogOf(head, 'n0', port);
  datagram = Buffer.from(`${before}0000\r\nCSeq: 1 NOTIFY\r\n${after}`, 'latin1');
  ready(port, (order) => {
    if (order.window === undefined) return;
    running = order.window > 0;
    to = order.to ?? 0;
    for (let i = 0; i < order.window; i++) next();
  });
});
