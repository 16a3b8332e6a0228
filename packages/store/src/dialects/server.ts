/** What the databases on a server have in common. */

export const CONNECT_MS = 10_000;
/** Another session may hold a lock for so long before we give up. */
export const LOCK_SECONDS = 5;
/** Bytes of one statement: enough for a group of usual rows, little for any server. */
export const STATEMENT_BYTES = 4 * 1024 * 1024;

/**
 * For a server that neither answers nor closes the connection.
 * @param late is called after `ms`, to close the connection
 */
export async function answered<T>(answer: Promise<T>, ms: number, late: () => void): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const giveUp = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`the database has not answered for ${ms / 1000} s`));
      late();
    }, ms);
  });
  try {
    return await Promise.race([answer, giveUp]);
  } finally {
    clearTimeout(timer);
  }
}

/** Remedies for what goes wrong before the database itself answers. */
export function networkRemedy(code: string): string | null {
  if (code === 'ECONNREFUSED') return 'is the database server running, and does it listen on this host and port?';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'check the name of the host in db_url';
  if (/^(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ECONNRESET|EPIPE)$/.test(code)) {
    return 'check the network and firewalls between here and the database server';
  }
  return null;
}
