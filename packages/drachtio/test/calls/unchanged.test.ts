/** An application behaves the same with the tracker and without it. */
import { WirePeer } from '@pua/testkit';
import type Srf from 'drachtio-srf';
import { until } from '../support';
import { joined, Scene, SDP } from './support';

let s: Scene;
let caller: WirePeer;
beforeEach(async () => {
  s = await Scene.open();
  s.toPeer();
  caller = await WirePeer.open();
});
afterEach(async () => {
  await s.close();
  await caller.close();
});

/** Takes out of a message what differs from call to call. */
function plain(message: { headers: { all(name: string): readonly string[] } }): string[] {
  const names = ['From', 'To', 'CSeq', 'Contact', 'Subject', 'X-Answer', 'Content-Type', 'Reason'];
  return names.flatMap((name) =>
    message.headers.all(name).map((value) => `${name}: ${value.replace(/;tag=\S+/g, ';tag')}`),
  );
}

type Way = 'tracked' | 'bare';
let calls = 0;

/** Plays one call; gives all that the application, the caller and the callee have seen. */
async function play(way: Way, script: (play: Play) => Promise<void>, listen: (legs: Legs) => void = joined) {
  const seen: unknown[] = [];
  const options = {
    localSdpB: SDP,
    proxyRequestHeaders: ['Subject'],
    responseHeaders: { 'X-Answer': 'yes' },
  };
  const progress = {
    cbRequest: (error: Error | null, sent: Srf.SrfRequest) => void seen.push('request', error, sent.method),
    cbProvisional: (response: Srf.SrfResponse) => void seen.push('provisional', response.status),
    cbFinalizedUac: (uac: Srf.Dialog) => void seen.push('finalized', uac.type),
  };
  s.handler = (req, res) => {
    const made =
      way === 'tracked'
        ? s.calls.createB2BUA(req, res, s.target, options, progress)
        : s.srf.createB2BUA(req, res, s.target, options, progress as never);
    made.then(
      (legs) => {
        seen.push('legs', legs.uas.type, legs.uac.type, legs.uas.other === legs.uac);
        listen(legs);
      },
      (error) => void seen.push('error', error.name, error.status),
    );
  };
  await script(new Play(`unchanged-${++calls}`, seen));
  return seen;
}

type Legs = { uas: Srf.Dialog; uac: Srf.Dialog };

class Play {
  #branch = '';
  constructor(
    readonly callId: string,
    readonly seen: unknown[],
  ) {}

  say(method: string, more: { to?: string; cseq?: number; branch?: string; body?: string } = {}): string {
    const { host, port } = s.sip;
    const contact = `Contact: <sip:peer@${caller.hop.host}:${caller.hop.port}>`;
    this.#branch = caller.send({
      method,
      uri: `sip:bob@${host}:${port}`,
      callId: this.callId,
      to: '<sip:bob@example.com>',
      headers: [contact, 'Subject: hello', ...(more.body ? ['Content-Type: application/sdp'] : [])],
      ...more,
    });
    return this.#branch;
  }

  async hears(status: number, branch = this.#branch) {
    const response = await caller.responses.take((one) => one.via.branch === branch && one.status === status);
    this.seen.push(status, response.reason, plain(response), response.body?.text());
    return response;
  }

  async peerGets(method: string) {
    const request = await s.peer.requests.take((one) => one.method === method);
    this.seen.push(method, plain(request), request.body?.text());
    return request;
  }
}

const both = async (...given: [script: (play: Play) => Promise<void>, listen?: (legs: Legs) => void]) => {
  const bare = await play('bare', ...given);
  expect(bare.length).toBeGreaterThan(4);
  expect(s.events).toEqual([]);
  expect(await play('tracked', ...given)).toEqual(bare);
  expect(s.last.kind).not.toBe('created');
};

test('an answered call with SDP in its provisional answer, an INFO, a further INVITE and BYE', async () => {
  await both(async (play) => {
    const branch = play.say('INVITE', { body: SDP });
    const invite = await play.peerGets('INVITE');
    s.answer(invite, 183, 'theirs', SDP);
    await play.hears(183);
    s.answer(invite, 180, 'theirs');
    await play.hears(180);
    s.answer(invite, 200, 'theirs', SDP);
    const to = (await play.hears(200)).headers.get('To')!;
    await play.peerGets('ACK');
    play.say('ACK', { to });
    await play.hears(200, play.say('INFO', { to, cseq: 2 }));
    // Nobody listens for `modify`: drachtio-srf answers by itself.
    await play.hears(200, play.say('INVITE', { to, cseq: 3, body: SDP.replace('4000', '5000') }));
    play.say('ACK', { to, cseq: 3 });
    await play.hears(200, play.say('BYE', { to, cseq: 4 }));
    s.peer.answer(await play.peerGets('BYE'), 200);
    expect(branch).not.toBe('');
  });
});

test('an application that listens for modify answers itself; refresh, too', async () => {
  await both(
    async (play) => {
      play.say('INVITE', { body: SDP });
      const invite = await play.peerGets('INVITE');
      s.answer(invite, 200, 'theirs', SDP);
      const to = (await play.hears(200)).headers.get('To')!;
      await play.peerGets('ACK');
      play.say('ACK', { to });
      await play.hears(488, play.say('INVITE', { to, cseq: 2, body: SDP }));
      await play.hears(200, play.say('BYE', { to, cseq: 3 }));
      s.peer.answer(await play.peerGets('BYE'), 200);
    },
    (legs) => {
      joined(legs);
      legs.uas.on('modify', (_, res) => res.send(488));
    },
  );
});

test('a refused and a cancelled call', async () => {
  await both(async (play) => {
    play.say('INVITE', { body: SDP });
    s.answer(await play.peerGets('INVITE'), 603, 'theirs');
    await play.hears(603);
    await until('the application knows', () => play.seen.includes('error'));
  });
  s.events.length = 0;
  await both(async (play) => {
    const branch = play.say('INVITE', { body: SDP });
    const invite = await play.peerGets('INVITE');
    s.answer(invite, 180, 'theirs');
    await play.hears(180);
    play.say('CANCEL', { branch });
    await play.hears(487, branch);
    s.peer.answer(await play.peerGets('CANCEL'), 200);
    s.answer(invite, 487, 'theirs');
    await until('the application knows', () => play.seen.includes('error'));
  });
});
