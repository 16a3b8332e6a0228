/**
 * What a scan needs for itself, used again by the next one: lists that have grown once need not grow for every document.
 */
import { Bindings } from './bindings.js';

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
const KEPT_LENGTH = 16 * 1024;

export class Workspace {
  /** The UTF-16 units of the document and a 0, which no legal one contains: several times as fast as `charCodeAt`. */
  readonly codes: Uint16Array;
  readonly bindings = new Bindings();
  /** Of the attributes of a tag; see Attributes. */
  readonly fields: number[] = [];
  /** Of every open element, by depth: start and end of its name (two numbers), and the bindings there were before it. */
  readonly open: number[] = [];
  readonly marks: number[] = [];
  private readonly bytes: Buffer;

  constructor(length: number) {
    this.codes = new Uint16Array(length);
    this.bytes = Buffer.from(this.codes.buffer);
  }

  fill(text: string): void {
    this.bytes.write(text, 'utf16le');
    if (!littleEndian) this.bytes.subarray(0, text.length * 2).swap16();
    this.codes[text.length] = 0;
    this.bindings.reset();
  }
}

/** Null while somebody has it. */
let kept: Workspace | null = new Workspace(KEPT_LENGTH);

/** Calls `use` with a workspace that holds `text`; it is only valid meanwhile. */
export function withWorkspace<T>(text: string, use: (workspace: Workspace) => T): T {
  const mine = kept !== null && text.length < KEPT_LENGTH ? kept : new Workspace(text.length + 1);
  if (mine === kept) kept = null;
  try {
    mine.fill(text);
    return use(mine);
  } finally {
    if (mine.codes.length === KEPT_LENGTH) kept = mine;
  }
}
