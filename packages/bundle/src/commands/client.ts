/** The commands that talk to a running PUA over HTTP. */
import { EXIT, Failure } from '../exit.js';

export interface Target {
  readonly url: string;
  readonly token?: string | undefined;
}

interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** The server bounds the wait for SIP; this bounds a server that hangs. */
const TIMEOUT_MS = 120_000;

/** JSON-RPC says that the call itself was wrong. */
const USAGE = new Set([-32700, -32600, -32601, -32602]);

/**
 * One call, named parameters.
 * @throws Failure with exit code 2 for wrong arguments, 1 for everything else
 */
export async function callRpc<T = unknown>(
  { url, token }: Target,
  method: string,
  params: Readonly<Record<string, unknown>>,
): Promise<T> {
  let answer: { result?: T; error?: RpcError };
  try {
    const response = await fetch(new URL('/RPC', url), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) },
      body: JSON.stringify({ jsonrpc: '2.0', method, params, id: 1 }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    answer = (await response.json()) as typeof answer;
  } catch (error) {
    const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
    const why = cause?.code ?? cause?.message ?? message;
    throw new Failure(`no answer from ${url} (${why}); is \`pua run\` running with modules.mi, and is --url right?`);
  }
  const { error } = answer;
  if (!error) return answer.result as T;
  const hint = error.code === 401 ? '; give it with --token or PUA_TOKEN' : '';
  throw new Failure(`${error.message}${hint}`, USAGE.has(error.code) ? EXIT.usage : EXIT.failed);
}
