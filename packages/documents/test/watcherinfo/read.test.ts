import {
  attribute,
  element,
  Namespace,
  readWatcherInfo,
  type Watcher,
  type WatcherInfo,
  watcherEvents,
  watcherStatuses,
  writeXml,
} from '@pua/documents';
import fc from 'fast-check';
import { uri } from '../arbitraries/common';
import { xmlText } from '../arbitraries/xml';
import { refusal } from '../refusal';
import { complaints, describeWithSchemas, temporaryFolder } from '../xmllint';

const { WATCHERINFO, XML } = Namespace;

const watcherArb: fc.Arbitrary<Watcher> = fc.record(
  {
    id: fc.constantFrom('8ajksjda7s', 'hh8juja87s997-ass7', '3c26700@198.51.100.7'),
    uri,
    status: fc.constantFrom(...watcherStatuses),
    event: fc.constantFrom(...watcherEvents),
    displayName: xmlText,
    lang: fc.constantFrom('en', 'de-CH'),
    expiration: fc.nat(),
    durationSubscribed: fc.nat(),
  },
  { requiredKeys: ['id', 'uri', 'status', 'event'] },
);

const infoArb: fc.Arbitrary<WatcherInfo> = fc.record({
  version: fc.nat(),
  state: fc.constantFrom('full' as const, 'partial' as const),
  lists: fc.array(
    fc.record({
      resource: uri,
      package: fc.constantFrom('presence', 'dialog'),
      watchers: fc.array(watcherArb, { maxLength: 3 }),
    }),
    { maxLength: 3 },
  ),
});

/** What a notifier sends. */
function documentOf({ version, state, lists }: WatcherInfo): string {
  const foreign = element('urn:x', 'y');
  const watcherElement = ({ uri: text, displayName, lang, durationSubscribed, ...same }: Watcher) => {
    const attributes = Object.entries({
      ...same,
      'display-name': displayName,
      'duration-subscribed': durationSubscribed,
    }).filter(([, value]) => value !== undefined);
    return element(
      WATCHERINFO,
      'watcher',
      [
        ...attributes.map(([name, value]) => attribute(name, String(value))),
        ...(lang ? [attribute('lang', lang, XML)] : []),
      ],
      [text],
    );
  };
  return writeXml(
    element(
      WATCHERINFO,
      'watcherinfo',
      [attribute('version', String(version)), attribute('state', state)],
      [
        ...lists.map(({ resource, package: eventPackage, watchers }) =>
          element(
            WATCHERINFO,
            'watcher-list',
            [attribute('resource', resource), attribute('package', eventPackage)],
            [...watchers.map(watcherElement), foreign],
          ),
        ),
        foreign,
      ],
    ),
  );
}

test('what a notifier sends is what is read', () => {
  fc.assert(
    fc.property(infoArb, (info) => {
      expect(readWatcherInfo(documentOf(info))).toEqual(info);
    }),
    { seed: 9, numRuns: 200 },
  );
});

describeWithSchemas('schema of watcherinfo', () => {
  const folder = temporaryFolder();

  test('has nothing against what these tests take for documents', () => {
    const documents = fc.sample(infoArb, { seed: 10, numRuns: 50 }).map(documentOf);
    expect(complaints(folder(), { [WATCHERINFO]: 'watcherinfo' }, documents)).toBe('');
    const wrong = documents[0]!.replace(' version=', ' x=');
    expect(complaints(folder(), { [WATCHERINFO]: 'watcherinfo' }, [wrong])).toMatch(/version/);
  });
});

test('the example of RFC 3858 section 5', () => {
  const xml = `<?xml version="1.0"?>
<watcherinfo xmlns="urn:ietf:params:xml:ns:watcherinfo"
             version="0" state="full">
  <watcher-list resource="sip:professor@example.net" package="presence">
    <watcher status="active"
             id="8ajksjda7s"
             duration-subscribed="509"
             event="approved" >sip:userA@example.net</watcher>
    <watcher status="pending"
             id="hh8juja87s997-ass7"
             display-name="Mr. Subscriber"
             event="subscribe">
       sip:userB@example.org
    </watcher>
  </watcher-list>
</watcherinfo>`;
  const expected: WatcherInfo = {
    version: 0,
    state: 'full',
    lists: [
      {
        resource: 'sip:professor@example.net',
        package: 'presence',
        watchers: [
          {
            id: '8ajksjda7s',
            uri: 'sip:userA@example.net',
            status: 'active',
            event: 'approved',
            durationSubscribed: 509,
          },
          {
            id: 'hh8juja87s997-ass7',
            uri: 'sip:userB@example.org',
            status: 'pending',
            event: 'subscribe',
            displayName: 'Mr. Subscriber',
          },
        ],
      },
    ],
  };
  expect(readWatcherInfo(xml)).toEqual(expected);
  expect(readWatcherInfo(Buffer.from(xml))).toEqual(expected);
});

const wrap = (inner: string, attributes = 'version="1" state="full"') =>
  `<watcherinfo xmlns="${WATCHERINFO}" ${attributes}>${inner}</watcherinfo>`;
const inList = (attributes: string, text = 'sip:a@b.example') =>
  wrap(
    `<watcher-list resource="sip:r@b.example" package="presence"><watcher ${attributes}>${text}</watcher></watcher-list>`,
  );

test.each([
  [wrap('', 'state="full"'), /^watcherinfo: has no attribute version/],
  [wrap('', 'version="1"'), /^watcherinfo: has no attribute state/],
  [wrap('', 'version="-1" state="full"'), /^watcherinfo\/@version: "-1" is no whole number of 0 or more/],
  [wrap('', 'version="99999999999999999999" state="full"'), /^watcherinfo\/@version/],
  [wrap('', 'version="1" state="Full"'), /^watcherinfo\/@state: "Full" is none of full, partial/],
  [wrap('<watcher-list package="presence"/>'), /^watcherinfo\/watcher-list\[1\]: has no attribute resource/],
  [wrap('<watcher-list resource="a b" package="p"/>'), /^watcherinfo\/watcher-list\[1\]\/@resource: "a b" is no URI/],
  [wrap('<watcher-list resource="sip:a"/>'), /: has no attribute package/],
  [inList('status="active" event="subscribe"'), /\/watcher-list\[1\]\/watcher\[1\]: has no attribute id/],
  [inList('id="" status="active" event="subscribe"'), /: has no attribute id/],
  [inList('id="1" status="asleep" event="subscribe"'), /watcher\[1\]\/@status: "asleep" is none of pending, active/],
  [inList('id="1" status="active" event="born"'), /watcher\[1\]\/@event: "born" is none of subscribe, approved/],
  [inList('id="1" status="active" event="subscribe"', ''), /watcher\[1\]: "" is no URI/],
  [inList('id="1" status="active" event="subscribe"', '<a/>'), /watcher\[1\]: only text is allowed here/],
  [inList('id="1" status="active" event="subscribe" expiration="soon"'), /watcher\[1\]\/@expiration: "soon" is no/],
  ['<watcherinfo version="1" state="full"/>', /the root must be watcherinfo in the namespace/],
  ['<!DOCTYPE x><x/>', /a DTD/],
])('refused: %s', (xml, message) => {
  expect(refusal(() => readWatcherInfo(xml))).toMatch(message);
});
