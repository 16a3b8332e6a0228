/** The scanner against two parsers that know nothing of it: xmldom, and libxml2 where xmllint is installed. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { ProcessOutput } from '@pua/core';
import { Namespace, presence, readXml, type XmlElement } from '@pua/documents';
import { DOMParser } from '@xmldom/xmldom';
import fc from 'fast-check';
import type { scan as Scan } from '../../dist/xml/scanner.js';
import { scan } from '../../dist/xml/scanner.js';
import { documents, mutated } from '../mutations';
import { runProcessor } from '../process';
import { filesOf, hasXmllint, temporaryFolder } from '../xmllint';

const seed = 20240517;

function accepts(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch {
    return false;
  }
}

const scannerAccepts = (text: string, using: typeof Scan = scan) => accepts(() => using(text, () => undefined));

/** The parser without our gate before it; every report counts, but that on U+FFFD, which is a legal character. */
function parserAccepts(text: string): boolean {
  const onError = (_level: string, message: string) => {
    if (!message.startsWith('Unicode replacement character')) throw new Error(message);
  };
  return accepts(() => new DOMParser({ onError }).parseFromString(text.replace(/^\ufeff/, ''), 'application/xml'));
}

const implication = (using: typeof Scan) =>
  fc.property(mutated, (text) => !scannerAccepts(text, using) || parserAccepts(text));

test('the unchanged documents are accepted by both', () => {
  for (const text of documents) expect([scannerAccepts(text), parserAccepts(text)]).toEqual([true, true]);
});

test('what the scanner accepts the parser accepts', () => {
  let accepted = 0;
  fc.assert(
    fc.property(mutated, (text) => {
      if (!scannerAccepts(text)) return true;
      accepted++;
      return parserAccepts(text);
    }),
    { seed, numRuns: 20_000 },
  );
  // The property would hold for a scanner that refuses everything.
  expect(accepted).toBeGreaterThan(1_500);
});

interface Found {
  readonly name: string;
  readonly id: string | undefined;
}

/** Tuples, persons and devices as the DOM sees them. */
function idsOf(root: XmlElement): Found[] {
  const found: Found[] = [];
  for (const child of root.children) {
    if (typeof child === 'string') continue;
    const { namespace, name } = child;
    const known =
      namespace === Namespace.PIDF ? ['tuple'] : namespace === Namespace.DATA_MODEL ? ['person', 'device'] : [];
    if (known.includes(name)) {
      found.push({ name, id: child.attributes.find((a) => a.name === 'id' && a.namespace === '')?.value.trim() });
    }
  }
  return found;
}

function withoutIds(root: XmlElement): unknown {
  return JSON.parse(JSON.stringify(root), (key, value) =>
    key === 'attributes' ? value.filter((a: { name: string }) => a.name !== 'id') : value,
  );
}

test('scanner and DOM see the same ids, and what is added is what was missing', () => {
  let changed = 0;
  fc.assert(
    fc.property(mutated, (text) => {
      let out: ProcessOutput;
      try {
        out = runProcessor(presence, { body: text, newId: () => 'made' });
      } catch {
        return;
      }
      const before = idsOf(readXml(text));
      const root = readXml(out.body);
      const after = idsOf(root);
      expect(after.map((f) => f.name)).toEqual(before.map((f) => f.name));
      before.forEach((f, i) => {
        if (f.id !== undefined) expect(after[i]!.id).toBe(f.id);
        else expect(after[i]!.id).toMatch(/^[A-Za-z_][\w.-]{0,63}$/);
      });
      expect(new Set(after.map((f) => f.id)).size).toBe(after.length);
      expect(withoutIds(root)).toEqual(withoutIds(readXml(text)));
      const first = after.find((f) => f.name === 'tuple');
      if (first) expect(out.tupleId).toBe(first.id);
      if (before.every((f) => f.id !== undefined)) expect(out.body).toBe(text);
      else changed++;
    }),
    { seed, numRuns: 6_000 },
  );
  expect(changed).toBeGreaterThan(250);
});

/** A scanner with one fault built in. */
function brokenScanner(right: RegExp, wrong: string): typeof Scan {
  const file = require.resolve('../../dist/xml/scanner.js');
  const code = readFileSync(file, 'utf8');
  const broken = code.replace(right, wrong);
  if (broken === code) throw new Error(`${right} is not in the scanner any more`);
  const exports: { scan?: typeof Scan } = {};
  new Function('exports', 'require', broken)(exports, createRequire(file));
  return exports.scan!;
}

test.each([
  ['mismatched end tags', /if \(codes\[i\] !== codes\[at\]\)/, 'if (false)'],
  ['elements left open', /if \(this\.depth > 0\)\s*throw/, 'if (false) throw'],
  ['a second root', /if \(this\.rootSeen && this\.depth === 0\)/, 'if (false)'],
  [
    'text outside the root',
    /if \(this\.codes\[at\] === LT \|\| at === this\.source\.length\)\s*return at;/,
    'return this.text(at);',
  ],
  ['double attributes', /attributes\.has\(start, nameEnd\)/, 'false'],
  ['"<" in a value', /if \(code === LT\)\s*throw/, 'if (code === LT) { at++; continue; } if (false) throw'],
  ['a bare "&"', /if \(found !== undefined\)/, 'if (found === undefined) return at + 1; else'],
  ['no space between attributes', /if \(next === at\)/, 'if (false)'],
  ['unbound prefixes', /if \(namespace === undefined\)\s*throw[^;]*;/, ''],
])('the property catches a scanner that lets pass: %s', (_what, right, wrong) => {
  const using = brokenScanner(right, wrong);
  for (const text of documents) expect(scannerAccepts(text, using)).toBe(true);
  const outcome = fc.check(implication(using), { seed, numRuns: 30_000, endOnFailure: true });
  expect(outcome.failed).toBe(true);
});

if (!hasXmllint) console.info('xmllint is not installed: the comparison with libxml2 is left out');

(hasXmllint ? describe : describe.skip)('libxml2', () => {
  const folder = temporaryFolder();

  /** Which of these does libxml2 take without an error? */
  function libxml2Accepts(texts: readonly string[]): boolean[] {
    const files = filesOf(folder(), texts);
    const { stderr } = spawnSync('xmllint', ['--nonet', '--noout', ...files], { encoding: 'utf8', maxBuffer: 1 << 28 });
    // Its opinion on the form of a namespace name concerns neither well-formedness nor namespaces.
    const errors = stderr.matchAll(/^(.*?):\d+: [\w ]*error : (?!xmlns.*is not a valid URI)/gm);
    const refused = new Set([...errors].map((match) => match[1]));
    return files.map((file) => !refused.has(file));
  }

  test('agrees in both directions', () => {
    const texts = fc
      .sample(mutated, { seed, numRuns: 2_500 })
      // A file holds no lone surrogate, a C string ends at U+0000, and what we refuse by choice is no disagreement.
      .filter((text) => Buffer.from(text).toString() === text && !/\0|<!(?:DOCTYPE|ENTITY)/.test(text));
    const theirs = libxml2Accepts(texts);
    const disagreed = texts.filter((text, i) => scannerAccepts(text) !== theirs[i]);
    expect(disagreed).toEqual([]);
    expect(theirs.filter((yes) => yes).length).toBeGreaterThan(200);
  });
});
