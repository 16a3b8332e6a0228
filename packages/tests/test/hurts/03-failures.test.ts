/** A server that is unwell does not make us forget what its owner wants. In C any answer of 300 or more deletes the record. */
import { World } from '../../dist/world/world.js';
import { mutant } from '../world/mutant';
import { GRANT, POLICY } from '../world/story';
import { harmless, told } from './hurt';

type Step = typeof import('../../../core/src/publication/step.js');
type SubscriptionStep = typeof import('../../../core/src/subscription/step.js');

const SUBSCRIPTIONS = 10;

/** As in C: what is not a 2xx deletes the record. */
const forgetful = {
  publications: mutant<Step>('publication/step.js', (actual) => ({
    answer: (...[s, input, c, out]: Parameters<typeof actual.answer>) => {
      if (input.answer.kind === 'response' && input.answer.status < 300) actual.answer(s, input, c, out);
      else s.phase = 'ended';
    },
  })),
  subscriptions: mutant<SubscriptionStep>('subscription/step.js', (actual) => ({
    opened: (...[s, input, c, out]: Parameters<typeof actual.opened>) => {
      if (input.answer.kind === 'response' && input.answer.status < 300) actual.opened(s, input, c, out);
      else s.phase = 'ended';
    },
  })),
};

const STATUSES: readonly (readonly [number, ...(readonly [string, string])[]])[] = [
  [400],
  [401, ['WWW-Authenticate', 'Digest realm="x", nonce="n", qop="auth"']],
  [403],
  [404],
  [404, ['Retry-After', '30']],
  [408],
  [412],
  [423, ['Min-Expires', '100000']],
  [480],
  [491],
  [500],
  [503],
  [503, ['Retry-After', '30']],
  [604],
];

describe('3: any failure throws the publication away (pjsip#760, SIP.js#472, kamailio#509, OpenSIPS#142, #2862)', () => {
  for (const [status, ...headers] of STATUSES) {
    harmless(
      `${[status, ...headers.map((header) => header.join(': '))].join(', ')}: once the server is well it has everything`,
      async (create) => {
        const world = await World.start({ seed: status, createPua: create, grant: GRANT, pua: { policy: POLICY } });
        for (const method of ['PUBLISH', 'SUBSCRIBE']) world.server.answerNext({ method, status, headers });
        const handles = [world.publish('alice', 1), world.subscribe('alice')];
        await world.advance(300_000);
        expect(world.published()).toEqual(new Map([['alice', ['1']]]));
        expect(world.server.subscriptions).toHaveLength(1);
        // The owner was told at once, and that it need not do anything.
        for (const handle of handles)
          expect(await told(handle)).toMatchObject({ outcome: 'rejected', status, retrying: true });
        await world.stop();
      },
      {
        'a failed PUBLISH were forgotten': forgetful.publications,
        'a failed SUBSCRIBE were forgotten': forgetful.subscriptions,
      },
    );
  }

  harmless(
    'no answer at all to the first PUBLISH and SUBSCRIBE: neither is lost',
    async (create) => {
      const world = await World.start({ seed: 1, createPua: create, grant: GRANT, pua: { policy: POLICY } });
      world.server.away();
      const handle = world.publish('alice', 1);
      world.subscribe('alice');
      await world.advance(180_000);
      expect(await told(handle)).toMatchObject({ outcome: 'unreachable', retrying: true });
      world.server.back();
      await world.advance(60_000);
      expect(world.published()).toEqual(new Map([['alice', ['1']]]));
      expect(world.server.subscriptions).toHaveLength(1);
      await world.stop();
    },
    {
      'a PUBLISH without answer were forgotten': forgetful.publications,
      'a SUBSCRIBE without answer were forgotten': forgetful.subscriptions,
    },
  );

  harmless(
    'the first proxy is dead: the second one gets it',
    async (create) => {
      const world = await World.start({ seed: 1, createPua: create, servers: 2, grant: GRANT });
      world.server.away();
      const handle = world.publish('alice', 1);
      // 64*T1 at the first one.
      await world.advance(33_000);
      expect(await told(handle)).toMatchObject({ outcome: 'accepted' });
      expect(world.servers.map(({ publications }) => publications.length)).toEqual([0, 1]);
      await world.stop();
    },
    {
      'a pass ended at its first hop': mutant<typeof import('../../../core/src/sending/routes.js')>(
        'sending/routes.js',
        ({ Routes }) => ({
          Routes: class extends Routes {
            override find(uris: readonly string[]) {
              return super.find(uris.slice(0, 1));
            }
          },
        }),
      ),
    },
  );

  harmless(
    '503 to every refresh of ten subscriptions: no storm of new SUBSCRIBEs',
    async (create) => {
      const world = await World.start({ seed: 1, createPua: create, grant: GRANT });
      for (let i = 0; i < SUBSCRIPTIONS; i++) world.subscribe(`u${i}`);
      await world.advance(60_000);
      world.server.answerNext({ method: 'SUBSCRIBE', status: 503, times: Number.POSITIVE_INFINITY });
      const { length } = world.wire.requests;
      await world.advance(600_000);
      const sent = world.wire.requests.length - length;
      // Under a back-off that grows to 120 s.
      expect(sent).toBeGreaterThan(SUBSCRIPTIONS);
      expect(sent).toBeLessThan(SUBSCRIPTIONS * 40);
      world.server.clearScript();
      await world.advance(200_000);
      expect(world.server.subscriptions).toHaveLength(SUBSCRIPTIONS);
      await world.stop();
    },
    {
      'a failed refresh opened a new dialog at once, as in C': mutant<SubscriptionStep>(
        'subscription/step.js',
        (actual) => ({
          refreshed: (...[s, input, c, out]: Parameters<typeof actual.refreshed>) => {
            const { answer } = input;
            const gone = answer.kind === 'response' && answer.status >= 300 ? { ...answer, status: 481 } : answer;
            s.losses = 0;
            s.openedAt = 0;
            actual.refreshed(s, { answer: gone }, c, out);
          },
          opened: (...[s, input, c, out]: Parameters<typeof actual.opened>) => {
            actual.opened(s, input, c, out);
            if (s.phase === 'waiting') s.deadline = c.now + 500;
          },
        }),
      ),
    },
  );
});
