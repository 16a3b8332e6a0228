/** Random calls: forked, fast, cancelled, rejected, to oneself, with requests in the dialog, and some that nobody ends. */
import type { DialogEvent, DialogEventKind, DialogParty, DialogReason, DialogSnapshot } from '@pua/core';
import type { SimRandom } from '@pua/testkit';

export interface Step {
  /** Milliseconds since the call began. */
  readonly at: number;
  /** `late`: told once more, after the end; `lost`: the call is gone and nobody says so. */
  readonly what: 'told' | 'late' | 'lost';
  readonly event: DialogEvent;
}

interface Branch {
  readonly branch?: string;
  readonly uri: string;
  readonly tag: string;
}

const GAPS = [0, 0, 1, 15, 200, 1_500, 6_000];
const CALL_IDS = ['plain', '"quoted"', "<&'>", 'grüße', 'a b', ']]>'];
const NAMES = [undefined, 'Alice', '"Zoë" <& Söhne>', '李 "明"'];
const OUTCOMES = ['answered', 'answered', 'answered', 'cancelled', 'rejected', 'unanswered', 'lost'] as const;
/** Requests in a dialog. */
const METHODS = ['INFO', 'UPDATE', 'INVITE', 'ACK', 'REFER'];

export const uriOf = (user: string) => `sip:${user}@example.com`;

export function randomCall(random: SimRandom, number: number, users: readonly string[]): readonly Step[] {
  const steps: Step[] = [];
  let at = 0;
  const caller: DialogParty = party(random, random.pick(users), `a${number}`);
  const branches = randomBranches(random, number, users);
  const base = {
    key: `call ${number}`,
    callId: `${random.pick(CALL_IDS)}-${number}@pbx.example.com`,
    caller,
    callee: { uri: branches[0]!.uri },
  };
  const told = (
    kind: DialogEventKind,
    state: DialogSnapshot['state'],
    branch?: Branch,
    more: { reason?: DialogReason; method?: string; contact?: string } = {},
  ) => {
    const { reason, method, contact } = more;
    const fork = branch && {
      ...(branch.branch === undefined ? {} : { branch: branch.branch }),
      callee: {
        uri: branch.uri,
        ...(state === 'proceeding' ? {} : { tag: branch.tag, contact: contact ?? contactOf(branch.tag) }),
      },
    };
    const dialog: DialogSnapshot = { ...base, ...fork, state, ...(reason ? { reason } : {}) };
    const event: DialogEvent = { kind, dialog, ...(method ? { method } : {}) };
    steps.push({ at, what: 'told', event });
    at += random.pick(GAPS);
  };

  told('created', 'trying');
  const ringing = branches.filter(() => random.uniform() < 0.8);
  for (const branch of ringing) {
    if (branch.branch !== undefined && random.uniform() < 0.3) told('early', 'proceeding', branch);
    for (let times = 1 + random.int(2); times > 0; times--) told('early', 'early', branch);
    if (random.uniform() < 0.2) told('updated', 'early', branch, { method: random.pick(['PRACK', 'INFO']) });
  }
  const outcome = random.pick(OUTCOMES);
  if (outcome === 'answered') {
    const winner = random.pick(branches);
    told('confirmed', 'confirmed', winner);
    for (const loser of ringing) {
      if (loser !== winner && random.uniform() < 0.5)
        told('failed', 'terminated', loser, { reason: { event: 'cancelled', code: 487 } });
    }
    for (let requests = random.int(3); requests > 0; requests--) {
      const moved = random.uniform() < 0.3 ? { contact: contactOf(`moved${requests}`) } : {};
      told('updated', 'confirmed', winner, { method: random.pick(METHODS), ...moved });
    }
    if (random.uniform() < 0.1) told('expired', 'terminated', winner);
    else told('terminated', 'terminated', winner, { reason: { event: 'bye', by: random.pick(['caller', 'callee']) } });
  } else if (outcome === 'rejected') {
    for (const branch of ringing) told('failed', 'terminated', branch, { reason: { event: 'rejected', code: 486 } });
    told('failed', 'terminated', undefined, { reason: { event: 'rejected', code: 486 } });
  } else if (outcome === 'cancelled') {
    told('failed', 'terminated', undefined, { reason: { event: 'cancelled', code: 487, by: 'caller' } });
  } else if (outcome === 'unanswered') told('expired', 'terminated');
  else steps.push({ at, what: 'lost', event: steps.at(-1)!.event });

  if (outcome !== 'lost' && random.uniform() < 0.3) {
    const { event } = random.pick(steps);
    steps.push({ at: at + random.int(20_000), what: 'late', event });
  }
  return steps;
}

/** One callee with several phones that differ in their tags; or, with branches, several callees. */
function randomBranches(random: SimRandom, number: number, users: readonly string[]): readonly Branch[] {
  const first = random.int(users.length);
  const byBranch = random.uniform() < 0.5;
  return Array.from({ length: 1 + random.int(3) }, (_, i) => {
    const tag = `b${number}-${i}`;
    const user = users[(first + (byBranch ? i : 0)) % users.length]!;
    return { uri: uriOf(user), tag, ...(byBranch ? { branch: String(i) } : {}) };
  });
}

function party(random: SimRandom, user: string, tag: string): DialogParty {
  const display = random.pick(NAMES);
  return { uri: uriOf(user), tag, contact: contactOf(tag), ...(display === undefined ? {} : { display }) };
}

const contactOf = (who: string) => `sip:${who}@192.0.2.1:5062`;
