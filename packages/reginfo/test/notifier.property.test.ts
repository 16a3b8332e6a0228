/** Whatever a notifier tells and the network does to it, in the end the sink has what the notifier has. */
import type { Registration, RegistrationContact, RegistrationEvent } from '@pua/documents';
import { SimClock } from '@pua/testkit';
import * as fc from 'fast-check';
import { Consumer } from '../dist/consumer.js';
import { checkOptions } from '../dist/options.js';
import { contact, document } from './support/documents';
import { FakeRegistrar } from './support/registrar';

const AORS = ['sip:alice@example.com', 'sip:bob@example.com', 'sip:carol@example.com'];
const ENDS: readonly RegistrationEvent[] = ['expired', 'deactivated', 'unregistered', 'rejected'];

type Deed =
  | {
      readonly what: 'bind' | 'end';
      readonly aor: number;
      readonly contact: number;
      readonly fate: Fate;
      readonly event: number;
    }
  /** Several changes that no document told of. */
  | { readonly what: 'silent'; readonly aor: number; readonly contact: number }
  | { readonly what: 'full'; readonly fate: Fate }
  | { readonly what: 'new-dialog'; readonly fate: Fate }
  | { readonly what: 'restart' };
type Fate = 'arrives' | 'lost' | 'twice' | 'late';

const fate = fc.constantFrom<Fate>('arrives', 'arrives', 'arrives', 'lost', 'twice', 'late');
const aor = fc.nat(AORS.length - 1);
const deed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ what: fc.constantFrom('bind', 'end'), aor, contact: fc.nat(3), fate, event: fc.nat(3) }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('silent'), aor, contact: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('full'), fate }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('new-dialog'), fate }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('restart') }) },
);

/** Of an AOR that is not the one subscribed to nothing is heard any more: it was ended by a document that came too late. */
const ENDED_UNHEARD: Deed[] = [
  { what: 'bind', aor: 1, contact: 3, fate: 'arrives', event: 0 },
  { what: 'end', aor: 1, contact: 3, fate: 'late', event: 0 },
  { what: 'restart' },
];

/** A notifier of RFC 3680: it counts what it sends, whether that arrives or not. */
class Notifier {
  readonly bound = new Map(AORS.map((uri) => [uri, new Map<string, RegistrationContact>()]));
  version = 0;
  dialog = 0;

  change(index: number, contactIndex: number, bound: boolean): RegistrationContact {
    const id = `c${index}-${contactIndex}`;
    const contacts = this.bound.get(AORS[index]!)!;
    if (bound) contacts.set(id, contact(id));
    else contacts.delete(id);
    return contact(id);
  }

  registrationOf(index: number, named: readonly RegistrationContact[]): Registration {
    const aor = AORS[index]!;
    const state = this.bound.get(aor)!.size > 0 ? 'active' : 'terminated';
    return { aor, id: `r${index}`, state, contacts: named };
  }

  partial(index: number, named: RegistrationContact): string {
    return document(this.version++, 'partial', [this.registrationOf(index, [named])]);
  }

  /** An AOR without contacts may be left out. */
  full(): string {
    const all = AORS.map((aor, index) => this.registrationOf(index, [...this.bound.get(aor)!.values()]));
    return document(
      this.version++,
      'full',
      all.filter(({ state }) => state === 'active'),
    );
  }
}

test('random documents, losses, repetitions, disorder, new dialogs, restarts', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { maxLength: 40 }), async (story) => {
      const clock = new SimClock();
      const sink = new FakeRegistrar();
      const notifier = new Notifier();
      const start = async () => {
        const consumer = new Consumer(clock, checkOptions({ sink }));
        await consumer.open();
        return consumer;
      };
      let consumer = await start();
      const late: { body: string; dialog: string }[] = [];
      let asked = false;

      const arrive = async (received: { body: string; dialog: string }) => {
        const { gap, code } = await consumer.handle({ subscriptionId: 's', uri: AORS[0]!, ...received });
        expect(code).not.toBe(-1);
        asked ||= gap;
      };
      const send = async (body: string, how: Fate) => {
        const sent = { body, dialog: `d${notifier.dialog}` };
        if (how === 'late') late.push(sent);
        else if (how !== 'lost') await arrive(sent);
        if (how === 'twice') await arrive(sent);
        // What was late comes after what was sent later, if its dialog is still there.
        if (how !== 'late') for (const one of late.splice(0)) if (one.dialog === sent.dialog) await arrive(one);
      };

      for (const one of story) {
        if (one.what === 'bind' || one.what === 'end') {
          const bound = one.what === 'bind';
          const known = notifier.change(one.aor, one.contact, bound);
          const named = bound ? known : { ...known, state: 'terminated' as const, event: ENDS[one.event]! };
          await send(notifier.partial(one.aor, named), one.fate);
        } else if (one.what === 'silent') {
          notifier.change(one.aor, one.contact, true);
          // Its document is lost.
          notifier.version++;
        } else if (one.what === 'full') await send(notifier.full(), one.fate);
        else if (one.what === 'restart') consumer = await start();
        else {
          notifier.dialog++;
          notifier.version = 0;
          await send(notifier.full(), one.fate);
        }
        // The answer to a SUBSCRIBE for full state may be lost, too: the next document shows it.
        if (asked && one.what !== 'restart') {
          asked = false;
          await send(notifier.full(), 'fate' in one ? one.fate : 'arrives');
        }
      }
      // The network is quiet: one more change, and what is asked for arrives.
      notifier.change(0, 0, true);
      await arrive({ body: notifier.partial(0, contact('c0-0')), dialog: `d${notifier.dialog}` });
      if (asked) await arrive({ body: notifier.full(), dialog: `d${notifier.dialog}` });

      const there = [...notifier.bound].flatMap(([uri, contacts]) => [...contacts].map(([id]) => `${uri} ${id}`));
      const learned = sink.learned.map(
        ({ aor: user, contact: uri }) => `sip:${user} ${uri.slice(4, uri.indexOf('@'))}`,
      );
      expect(learned.sort()).toEqual(there.sort());
    }),
    { numRuns: 60, examples: [[ENDED_UNHEARD]] },
  );
});
