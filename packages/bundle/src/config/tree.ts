/** YAML text as plain values, with the place of every key and value. */
import { type Document, isAlias, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { type Path, type Problem, pathText } from './problems.js';

export interface Origin {
  /** Where the value stands. */
  readonly value: string;
  /** Where its key stands. */
  readonly key: string;
  /** File and line, for explanations. */
  readonly short: string;
}

export interface Tree {
  value: unknown;
  readonly origins: Map<string, Origin>;
  readonly problems: Problem[];
}

/** Makes a value of a text that stands in a plain or quoted scalar. */
export type ReadText = (text: string, path: Path, plain: boolean, where: string) => unknown;

const MAX_DEPTH = 20;

/** Reads YAML 1.2; aliases and unknown tags are refused, keys must be unique. Never throws. */
export function parseTree(text: string, file: string, readText: ReadText): Tree {
  const lineCounter = new LineCounter();
  const problems: Problem[] = [];
  const origins = new Map<string, Origin>();
  const at = (offset: number) => {
    const { line, col } = lineCounter.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const report = (offset: number, path: Path, wrong: string, remedy: string) =>
    void problems.push({ where: at(offset), path: pathText(path), wrong, remedy });

  let document: Document.Parsed;
  try {
    // Without its pretty errors: those quote the line, which may hold a password.
    document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: true });
  } catch {
    problems.push({ where: file, path: '', wrong: 'not readable as YAML', remedy: 'is it the right file?' });
    return { value: {}, origins, problems };
  }
  for (const { pos, code, message } of [...document.errors, ...document.warnings]) {
    if (code === 'DUPLICATE_KEY') report(pos[0], [], 'the same key stands twice in one section', 'keep one of them');
    else
      report(pos[0], [], `not valid YAML: ${message.split('\n')[0]!.trim()}`, 'check indentation, quotes and colons');
  }
  if (problems.length > 0) return { value: {}, origins, problems };
  const value = read(document.contents, [], { value: `${file}:1:1`, key: `${file}:1:1`, short: `${file}:1` });
  return { value, origins, problems };

  function read(node: unknown, path: Path, origin: Origin): unknown {
    origins.set(pathText(path), origin);
    if (node === null || node === undefined) return null;
    const offset = (node as Node).range?.[0] ?? 0;
    if (path.length > MAX_DEPTH) {
      report(offset, path.slice(0, 3), 'nested too deeply', 'the configuration has no such depth');
      return null;
    }
    if (isAlias(node)) {
      report(offset, path, 'aliases are not supported', 'write the value itself');
      return null;
    }
    if (isScalar(node)) {
      if (typeof node.value !== 'string') return node.value;
      return readText(node.value, path, node.type === 'PLAIN', at(offset));
    }
    if (isSeq(node)) return node.items.map((item, i) => child(item, [...path, i], undefined));
    if (!isMap(node)) return null;
    const values: Record<string, unknown> = Object.create(null);
    for (const pair of node.items) {
      if (!isPair(pair) || !isScalar(pair.key)) {
        report(offset, path, 'a key must be a word', 'quote it when it holds special characters');
        continue;
      }
      const name = String(pair.key.value);
      values[name] = child(pair.value, [...path, name], pair.key.range?.[0]);
    }
    return values;
  }

  function child(node: unknown, path: Path, keyOffset: number | undefined): unknown {
    const offset = (node as Node | null)?.range?.[0] ?? keyOffset ?? 0;
    const value = at(offset);
    return read(node, path, {
      value,
      key: at(keyOffset ?? offset),
      short: `${file}:${lineCounter.linePos(keyOffset ?? offset).line}`,
    });
  }
}
