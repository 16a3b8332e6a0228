/** Calls through the double of drachtio-server, in its own protocol and by SIP; without drachtio-srf. */
import { DrachtioServer, WirePeer, type WireRequest } from '@pua/testkit';
import type { Command } from '../dist/drachtio/frames.js';
import { Application } from './drachtio-application';

let server: DrachtioServer;
let peer: WirePeer;
let application: Application;
async function open(t1?: number): Promise<void> {
  server = await DrachtioServer.start(t1 === undefined ? {} : { t1 });
  application = await Application.open(server, 'invite');
}

/** A server that waits for 64 ms only. */
async function impatient(): Promise<void> {
  application.close();
  await server.stop();
  await open(1);
}

beforeEach(async () => {
  peer = await WirePeer.open();
  await open();
});
afterEach(async () => {
  application.close();
  await server.stop();
  await peer.close();
});

const SDP = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\n';
const uri = () => `sip:bob@127.0.0.1:${server.address.port}`;
const contact = () => `Contact: <sip:peer@127.0.0.1:${peer.hop.port}>`;
const header = ({ headers }: Command, name: string) =>
  headers.find(([given]) => given.toLowerCase() === name.toLowerCase())?.[1] ?? '';

describe('from the wire', () => {
  const ID = 'a-call;from-tag=peer';
  const message = (method: string, more: { to?: string; branch?: string; cseq?: number } = {}) =>
    peer.send({ method, uri: uri(), callId: 'a-call', to: '<sip:bob@example.com>', headers: [contact()], ...more });
  const answer = (to: Command, status: number, more = '') =>
    application.response(application.send(`sip|${to.arguments[6]}|\r\nSIP/2.0 ${status} Fine\r\n${more}\r\n`));
  const response = (status: number) => peer.responses.take((one) => one.status === status);

  /** An answered call: its To. */
  async function answered(): Promise<string> {
    message('INVITE');
    const invite = await application.sip();
    await answer(invite, 200, 'Content-Type: application/sdp\r\n');
    const to = (await response(200)).headers.get('To')!;
    message('ACK', { to });
    expect((await application.sip()).startLine).toMatch(/^ACK /);
    return to;
  }

  test('100 at once, 180 and 200 from the application with one tag, the ACK back to it', async () => {
    const branch = message('INVITE');
    const invite = await application.sip();
    expect(invite.startLine).toBe(`INVITE ${uri()} SIP/2.0`);
    expect(invite.arguments.slice(7)).toEqual(['', '']);
    expect((await response(100)).headers.get('To')).toBe('<sip:bob@example.com>');
    const echo = await answer(invite, 180, 'X-own: a\r\n');
    expect(echo.arguments[1]).toBe('OK');
    expect(echo.arguments[9]).toBe(ID);
    const ringing = await response(180);
    expect(ringing.headers.get('X-Own')).toBe('a');
    expect(ringing.via.branch).toBe(branch);
    expect(server.dialogs).toBe(0);

    await answer(invite, 200);
    const ok = await response(200);
    expect(ok.headers.get('To')).toBe(ringing.headers.get('To'));
    expect(ok.headers.get('Contact')).toBe(`<sip:127.0.0.1:${server.address.port}>`);
    message('ACK', { to: ok.headers.get('To')! });
    const ack = await application.sip();
    expect(ack.startLine).toBe(`ACK ${uri()} SIP/2.0`);
    expect(ack.arguments[7]).toBe(ID);
    expect(server.dialogs).toBe(1);
    expect((await answer(invite, 200)).arguments[1]).toBe('NOK');
  });

  test('a repeated INVITE gets the last response again', async () => {
    const branch = message('INVITE');
    await application.sip();
    message('INVITE', { branch });
    await response(100);
    await response(100);
    expect(application.frames.size).toBe(0);
  });

  test('BYE of the peer goes to the application, the dialog is gone', async () => {
    const to = await answered();
    const branch = message('BYE', { to, cseq: 2 });
    const bye = await application.sip();
    expect(bye.startLine).toMatch(/^BYE /);
    expect(bye.arguments[7]).toBe(ID);
    expect(server.dialogs).toBe(0);
    await answer(bye, 200);
    expect((await peer.response(branch)).status).toBe(200);
  });

  test('BYE of the application goes to the Contact, in the dialog of the server', async () => {
    const to = await answered();
    application.send(`sip||${ID}\r\nBYE sip:placeholder SIP/2.0\r\n\r\n`);
    const bye = await peer.requests.take();
    expect(bye.uri).toBe(`sip:peer@127.0.0.1:${peer.hop.port}`);
    expect(bye.headers.get('From')).toBe(to);
    expect(bye.headers.get('To')).toBe('<sip:peer@example.com>;tag=peer');
    peer.answer(bye, 200);
    expect((await application.sip()).startLine).toMatch(/^SIP\/2\.0 200/);
    expect(server.dialogs).toBe(0);
  });

  test('a refusal is acknowledged to the server, not to the application', async () => {
    const branch = message('INVITE');
    const invite = await application.sip();
    await answer(invite, 486);
    const to = (await response(486)).headers.get('To')!;
    message('ACK', { to, branch });
    message('INVITE', { cseq: 2 });
    expect((await application.sip()).startLine).toMatch(/^INVITE /);
  });

  test('CANCEL: 200 and 487 from the server, and the application hears of it', async () => {
    const branch = message('INVITE');
    const invite = await application.sip();
    message('CANCEL', { branch });
    const cancel = await application.sip();
    expect(cancel.startLine).toMatch(/^CANCEL /);
    expect(cancel.arguments[6]).toBe(invite.arguments[6]);
    expect((await response(200)).cseq.method).toBe('CANCEL');
    expect((await response(487)).cseq.method).toBe('INVITE');
    expect((await answer(invite, 487)).arguments.slice(1)).toEqual([
      'NOK',
      'Response not sent due to unknown transaction',
    ]);
  });

  test('CANCEL after the 200 is a 481, and the server hangs up', async () => {
    const branch = message('INVITE');
    await answer(await application.sip(), 200);
    message('CANCEL', { branch });
    expect((await response(481)).cseq.method).toBe('CANCEL');
    const bye = await application.sip();
    expect(bye.arguments[0]).toBe('application');
    expect(bye.arguments[6]).toBe('unsolicited');
    expect(header(bye, 'Reason')).toContain('CANCEL after 200 OK');
    expect((await peer.requests.take()).method).toBe('BYE');
  });

  test('no ACK after 64*T1: the server hangs up', async () => {
    await impatient();
    message('INVITE');
    await answer(await application.sip(), 200);
    const bye = await application.sip();
    expect(bye.arguments.slice(6, 8)).toEqual(['unsolicited', ID]);
    expect(header(bye, 'Reason')).toContain('ACK timeout');
    expect((await peer.requests.take()).method).toBe('BYE');
    expect(server.dialogs).toBe(0);
  });

  test('a further INVITE in the dialog', async () => {
    const to = await answered();
    message('INVITE', { to, cseq: 2 });
    const invite = await application.sip();
    expect(invite.arguments[7]).toBe(ID);
    await answer(invite, 200);
    const ok = await peer.responses.take((one) => one.status === 200 && one.cseq.number === 2);
    expect(ok.headers.get('To')).toBe(to);
    message('ACK', { to, cseq: 2 });
    expect((await application.sip()).arguments[7]).toBe(ID);
    expect(server.dialogs).toBe(1);
  });

  test('nobody takes INVITEs: 503; a dialog that is not there: 481', async () => {
    const gone = `<sip:bob@example.com>;tag=gone`;
    expect((await peer.response(message('INVITE', { to: gone }))).status).toBe(481);
    await application.ask('remove_route|invite');
    expect((await peer.response(message('INVITE'))).status).toBe(503);
  });
});

describe('to the wire', () => {
  const ID = 'b-call;from-tag=mine';
  const invite = (more = '') => {
    const lines = [
      `INVITE sip:carol@127.0.0.1:${peer.hop.port} SIP/2.0`,
      'Call-ID: b-call',
      'From: "Bob" <sip:bob@localhost>;tag=mine',
      'To: <sip:carol@example.com>',
      'Contact: "Bob" <sip:bob@localhost>',
    ];
    return application.send(`sip||\r\n${lines.join('\r\n')}\r\n${more}\r\n${SDP}`);
  };
  const ack = () => application.send(`sip||${ID}\r\nACK sip:placeholder SIP/2.0\r\n\r\n`);
  const cancel = (echo: Command) =>
    application.send(`sip|${echo.arguments[8]}|\r\nCANCEL sip:x SIP/2.0\r\nReason: SIP;cause=200\r\n\r\n`);

  async function answered(): Promise<WireRequest> {
    invite();
    const seen = await peer.requests.take();
    peer.answer(seen, 200, { headers: [contact()], tag: 'theirs' });
    await application.sip();
    ack();
    await peer.requests.take();
    return seen;
  }

  test('with the type of its SDP and the server for localhost; answers go to the application, also of forks', async () => {
    const echo = await application.response(invite());
    const seen = await peer.requests.take();
    const own = `sip:bob@127.0.0.1:${server.address.port}`;
    expect(echo.startLine).toBe(`INVITE ${seen.uri} SIP/2.0`);
    expect(seen.headers.get('From')).toBe(`"Bob" <${own}>;tag=mine`);
    expect(seen.headers.get('Contact')).toBe(`"Bob" <${own}>`);
    expect(seen.body?.type).toBe('application/sdp');
    expect(seen.body?.text()).toBe(SDP);
    peer.answer(seen, 180, { tag: 'one' });
    peer.answer(seen, 183, { tag: 'two' });
    const rings = [await application.sip(), await application.sip()];
    expect(rings.map(({ startLine }) => startLine.slice(8, 11))).toEqual(['180', '183']);
    expect(rings.map((one) => header(one, 'To'))).toEqual([
      '<sip:carol@example.com>;tag=one',
      '<sip:carol@example.com>;tag=two',
    ]);
    expect(rings[0]!.arguments.slice(6, 8)).toEqual([echo.arguments[8], ID]);
    expect(server.dialogs).toBe(0);
  });

  test('a 200 makes the dialog; the ACK is the application’s', async () => {
    invite();
    const seen = await peer.requests.take();
    const route = `Record-Route: <sip:127.0.0.1:${peer.hop.port};lr>`;
    peer.answer(seen, 200, { headers: [contact(), route], tag: 'theirs' });
    await application.sip();
    expect(server.dialogs).toBe(1);
    const echo = await application.response(ack());
    expect(echo.arguments[1]).toBe('OK');
    const acked = await peer.requests.take();
    expect(acked.method).toBe('ACK');
    expect(acked.uri).toBe(`sip:peer@127.0.0.1:${peer.hop.port}`);
    expect(acked.cseq.number).toBe(seen.cseq.number);
    expect(acked.headers.get('To')).toBe('<sip:carol@example.com>;tag=theirs');
    expect(acked.headers.all('Route')).toEqual([route.slice(14)]);
  });

  test('BYE of the peer, BYE of the application', async () => {
    const seen = await answered();
    const from = '<sip:carol@example.com>;tag=theirs';
    const to = seen.headers.get('From')!;
    peer.send({ method: 'BYE', uri: uri(), callId: 'b-call', from, to });
    expect((await application.sip()).arguments[7]).toBe(ID);
    expect(server.dialogs).toBe(0);

    await answered();
    application.send(`sip||${ID}\r\nBYE sip:placeholder SIP/2.0\r\n\r\n`);
    const bye = await peer.requests.take();
    expect(bye.cseq.number).toBe(2);
    peer.answer(bye, 200);
    await application.sip();
    expect(server.dialogs).toBe(0);
  });

  test('a further INVITE in the dialog', async () => {
    await answered();
    application.send(`sip||${ID}\r\nINVITE sip:placeholder SIP/2.0\r\n\r\n${SDP}`);
    const seen = await peer.requests.take();
    expect(seen.cseq.number).toBe(2);
    expect(seen.headers.get('To')).toBe('<sip:carol@example.com>;tag=theirs');
    const moved = `sip:moved@127.0.0.1:${peer.hop.port}`;
    peer.answer(seen, 200, { headers: [`Contact: <${moved}>`] });
    await application.sip();
    ack();
    const acked = await peer.requests.take();
    expect([acked.method, acked.uri, acked.cseq.number]).toEqual(['ACK', moved, 2]);
  });

  test('a refusal is acknowledged by the server itself', async () => {
    invite();
    const seen = await peer.requests.take();
    peer.answer(seen, 486, { tag: 'theirs' });
    const acked = await peer.requests.take();
    expect([acked.method, acked.via.branch]).toEqual(['ACK', seen.via.branch]);
    expect((await application.sip()).startLine).toMatch(/^SIP\/2\.0 486/);
    const [verdict, why] = (await application.response(ack())).arguments.slice(1);
    expect([verdict, why]).toEqual(['NOK', expect.stringContaining('automatically generated')]);
  });

  test('CANCEL goes out once a provisional response is there', async () => {
    const echo = await application.response(invite());
    const seen = await peer.requests.take();
    expect((await application.response(cancel(echo))).arguments[1]).toBe('OK');
    expect(peer.requests.size).toBe(0);
    peer.answer(seen, 180);
    const cancelled = await peer.requests.take();
    expect([cancelled.method, cancelled.via.branch]).toEqual(['CANCEL', seen.via.branch]);
    expect(cancelled.headers.get('Reason')).toBe('SIP;cause=200');
    peer.answer(cancelled, 200);
    peer.answer(seen, 487);
    expect((await application.sip()).startLine).toMatch(/^SIP\/2\.0 180/);
    expect((await application.sip()).startLine).toMatch(/^SIP\/2\.0 487/);
    expect((await application.response(cancel(echo))).arguments[2]).toContain('unknown transaction');
  });

  test('a silent peer is a 408, a closed port a 503, both without a To tag', async () => {
    await impatient();
    invite();
    const silent = await application.sip();
    expect(silent.startLine).toBe('SIP/2.0 408 Request Timeout');
    expect(header(silent, 'To')).toBe('<sip:carol@example.com>');
    server.closePort('127.0.0.1', peer.hop.port);
    invite();
    expect((await application.sip()).startLine).toBe('SIP/2.0 503 Service Unavailable');
  });
});
