import { type MessageSummary, messageContexts, readMessageSummary, writeMessageSummary } from '@pua/documents';
import fc from 'fast-check';
import { refusal } from '../refusal';

const lines = (...all: string[]) => all.map((line) => `${line}\r\n`).join('');

const lineText = fc
  .oneof(fc.string({ unit: 'grapheme', maxLength: 12 }), fc.constantFrom('a\tb', '<x>: "y"', 'é', '4/8'))
  .filter((text) => !/[\p{Cc}\p{Cs}]/u.test(text.replaceAll('\t', '')))
  .map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ''));
const count = fc.oneof(fc.nat({ max: 9 }), fc.integer({ min: 0, max: 0xffffffff }));

const summaryArb: fc.Arbitrary<MessageSummary> = fc.record(
  {
    waiting: fc.boolean(),
    account: fc.constantFrom('sip:alice@example.com', 'sips:b@c:5061;x=y?z', 'mailto:é@example.com'),
    counts: fc.uniqueArray(
      fc.record(
        {
          context: fc.constantFrom(...messageContexts),
          new: count,
          old: count,
          urgent: fc.record({ new: count, old: count }),
        },
        { requiredKeys: ['context', 'new', 'old'] },
      ),
      { minLength: 1, selector: (one) => one.context },
    ),
    messages: fc.array(
      fc.array(fc.record({ name: fc.constantFrom('To', 'Subject', 'Message-ID', "x!%*_+`'~."), value: lineText }), {
        minLength: 1,
        maxLength: 3,
      }),
      { minLength: 1, maxLength: 3 },
    ),
  },
  { requiredKeys: ['waiting'] },
);

test('what was written is what is read', () => {
  fc.assert(
    fc.property(summaryArb, (summary) => {
      const body = writeMessageSummary(summary);
      expect(readMessageSummary(body)).toEqual(summary);
      expect(readMessageSummary(Buffer.from(body))).toEqual(summary);
    }),
    { seed: 7, numRuns: 500 },
  );
});

const example = lines(
  'Messages-Waiting: yes',
  'Message-Account: sip:alice@vmail.example.com',
  'Voice-Message: 4/8 (1/2)',
  'Fax-Message: 2/4',
  '',
  'To: <alice@atlanta.example.com>',
  'Subject: carpool tomorrow?',
  '',
  'Subject: HELP! at home ill, present for me please',
);
const summary: MessageSummary = {
  waiting: true,
  account: 'sip:alice@vmail.example.com',
  counts: [
    { context: 'voice-message', new: 4, old: 8, urgent: { new: 1, old: 2 } },
    { context: 'fax-message', new: 2, old: 4 },
  ],
  messages: [
    [
      { name: 'To', value: '<alice@atlanta.example.com>' },
      { name: 'Subject', value: 'carpool tomorrow?' },
    ],
    [{ name: 'Subject', value: 'HELP! at home ill, present for me please' }],
  ],
};

test('the example of RFC 3842 section 4.1', () => {
  expect(writeMessageSummary(summary)).toBe(example);
  expect(readMessageSummary(example)).toEqual(summary);
  expect(writeMessageSummary({ waiting: false })).toBe('Messages-Waiting: no\r\n');
});

describe('reading what others write', () => {
  test.each([
    ['no end of the last line', 'Messages-Waiting: yes', { waiting: true }],
    [
      'LF alone',
      'Messages-Waiting: no\nNone: 1/2\n',
      { waiting: false, counts: [{ context: 'none', new: 1, old: 2 }] },
    ],
    ['empty lines at the end', 'Messages-Waiting: no\r\n\r\n\r\n', { waiting: false }],
    [
      'any case, any white space',
      'MESSAGES-WAITING \t:\tYES \r\nmessage-account:sip:a@b\r\nvoice-MESSAGE : 1 / 2 ( 3\t/4 )\r\n',
      {
        waiting: true,
        account: 'sip:a@b',
        counts: [{ context: 'voice-message', new: 1, old: 2, urgent: { new: 3, old: 4 } }],
      },
    ],
    [
      'folded lines',
      'Messages-Waiting:\r\n yes\r\nVoice-Message: 1/2\r\n\t(0/1)\r\n\r\nSubject: a\r\n  b \r\n \r\n c\r\nTo:\r\n',
      {
        waiting: true,
        counts: [{ context: 'voice-message', new: 1, old: 2, urgent: { new: 0, old: 1 } }],
        messages: [
          [
            { name: 'Subject', value: 'a b  c' },
            { name: 'To', value: '' },
          ],
        ],
      },
    ],
    [
      'counts beyond 32 bits',
      'Messages-Waiting: yes\r\nVoice-Message: 4294967296/99999999999999999999999\r\n',
      { waiting: true, counts: [{ context: 'voice-message', new: 4294967295, old: 4294967295 }] },
    ],
  ])('%s', (_what, body, expected) => {
    expect(readMessageSummary(body)).toEqual(expected);
  });

  test.each([
    ['', /^line 1: must not be empty/],
    ['\r\n\r\n', /^line 1:/],
    ['Voice-Message: 1/2\r\n', /^line 1: must be Messages-Waiting: yes, or no/],
    ['Messages-Waiting: maybe\r\n', /^line 1: Messages-Waiting is "maybe", must be yes or no/],
    ['Messages-Waiting\r\n', /^line 1: "Messages-Waiting" must be a name, a colon and a value/],
    [' Messages-Waiting: yes\r\n', /^line 1: continues a line that is not there/],
    [lines('Messages-Waiting: yes', 'Message-Account: <sip:a@b>'), /^line 2: .* must be a URI without angle brackets/],
    [lines('Messages-Waiting: yes', 'Message-Account:'), /^line 2: Message-Account is ""/],
    [
      lines('Messages-Waiting: yes', 'None: 1/2', 'Message-Account: sip:a@b'),
      /^line 3: "Message-Account" is no context/,
    ],
    [lines('Messages-Waiting: yes', 'Smell-Message: 1/2'), /^line 2: "Smell-Message" is no context class/],
    [lines('Messages-Waiting: yes', 'Voice-Message: 1'), /^line 2: Voice-Message is "1", must be like 4\/8/],
    [lines('Messages-Waiting: yes', 'Voice-Message: 1/-2'), /^line 2/],
    [lines('Messages-Waiting: yes', 'Voice-Message: 1/2 (3)'), /^line 2/],
    [lines('Messages-Waiting: yes', 'Voice-Message: 1/2 3/4'), /^line 2/],
    [lines('Messages-Waiting: yes', 'Voice-Message: 1/2', 'voice-message: 1/2'), /^line 3: a second voice-message/],
    [lines('Messages-Waiting: yes', '', '', 'Subject: a'), /^line 3: must not be empty/],
    [lines('Messages-Waiting: yes', '', ' a'), /^line 3: continues a line/],
    [lines('Messages-Waiting: yes', '', 'Sub ject: a'), /^line 3: "Sub ject: a" must be a name/],
    [lines('Messages-Waiting: yes', '', 'Subject: a\rb'), /^line 3: the character U\+000D must not be there/],
    [lines('Messages-Waiting: yes', '', 'Subject: \ud800'), /^line 3: the character U\+D800 must not be there/],
  ])('refused: %j', (body, message) => {
    expect(refusal(() => readMessageSummary(body))).toMatch(message);
  });

  test('bytes that are no UTF-8', () => {
    expect(refusal(() => readMessageSummary(Buffer.from('Messages-Waiting: é', 'latin1')))).toMatch(/not valid UTF-8/);
  });

  test('the size is limited', () => {
    const body = lines('Messages-Waiting: yes', '', `Subject: ${'x'.repeat(262_144)}`);
    expect(refusal(() => readMessageSummary(body))).toMatch(/larger than 262144 bytes/);
    expect(refusal(() => readMessageSummary('Messages-Waiting: yes', { maxBytes: 20 }))).toMatch(
      /larger than 20 bytes/,
    );
  });
});

describe('the writer refuses', () => {
  const refused: readonly (readonly [Partial<MessageSummary>, RegExp])[] = [
    [{ waiting: 'yes' as unknown as boolean }, /^Messages-Waiting: must be true or false, not yes/],
    [{ account: 'alice' }, /^Message-Account: "alice" is no URI/],
    [{ account: '<sip:a@b>' }, /^Message-Account/],
    [{ account: 'sip:a@b\r\nX: y' }, /^Message-Account/],
    [{ account: 'sip:a\u0000' }, /^Message-Account: the character U\+0000/],
    [{ counts: [{ context: 'voice-message', new: -1, old: 0 }] }, /^voice-message: -1 is no count/],
    [{ counts: [{ context: 'voice-message', new: 0, old: 0x100000000 }] }, /^voice-message: 4294967296 is no count/],
    [{ counts: [{ context: 'none', new: 0, old: 0, urgent: { new: 0.5, old: 0 } }] }, /^none: 0\.5 is no count/],
    [{ counts: [{ context: 'smell' as 'none', new: 0, old: 0 }] }, /"smell" is no context class/],
    [
      {
        counts: [
          { context: 'none', new: 0, old: 0 },
          { context: 'none', new: 0, old: 0 },
        ],
      },
      /^none: is there twice/,
    ],
    [{ messages: [[]] }, /^message\[1\]: has no header/],
    [{ messages: [[{ name: 'a b', value: '' }]] }, /^message\[1\]\/header\[1\]: "a b" is no name of a header/],
    [{ messages: [[{ name: 'a', value: 'b\r\nEvil: yes' }]] }, /^message\[1\]\/header\[1\]: the character U\+000D/],
    [{ messages: [[{ name: 'a', value: ' b' }]] }, /^message\[1\]\/header\[1\]: " b" has white space/],
    [{ messages: [[{ name: 'a', value: 'b\t' }]] }, /^message\[1\]\/header\[1\]: "b\\t" has white space/],
    [{ messages: [[{ name: 'a', value: 5 as unknown as string }]] }, /the value of a must be a text/],
  ];
  test.each(refused)('%j', (part, message) => {
    expect(refusal(() => writeMessageSummary({ waiting: true, ...part }))).toMatch(message);
  });
});

test.each([
  ['one line folded very often', `Messages-Waiting:${'\n a'.repeat(80_000)}`],
  ['line ends before the end', `Messages-Waiting: yes${'\n'.repeat(250_000)}x`],
  ['white space in a count', `Messages-Waiting: yes\nNone: 1/2${' '.repeat(250_000)}x`],
])('reading takes time in proportion to the length: %s', (_what, body) => {
  const start = process.cpuUsage();
  refusal(() => readMessageSummary(body));
  const { user } = process.cpuUsage(start);
  // A step per pair of characters would take minutes.
  expect(user).toBeLessThan(5_000_000);
});
