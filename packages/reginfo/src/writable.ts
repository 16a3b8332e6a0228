/** What sources tell may be no URI, or have characters that no document can have: it must not hide the rest. */
import { type RegInfo, type Registration, writeRegInfo } from '@pua/documents';

export interface Written {
  readonly body: string;
  /** What is not in it, and why. */
  readonly leftOut: readonly { readonly what: 'an identity' | 'a contact'; readonly error: unknown }[];
}

/** @throws PuaError `PUA_ERR_DOCUMENT`: nothing of it can be written */
export function writeWhatCanBe(document: RegInfo): Written {
  try {
    return { body: writeRegInfo(document), leftOut: [] };
  } catch (error) {
    return writeRest(document, error);
  }
}

function writeRest(document: RegInfo, error: unknown): Written {
  const leftOut: Written['leftOut'][number][] = [];
  const isWritable = (what: 'an identity' | 'a contact', registration: Registration): boolean => {
    try {
      writeRegInfo({ ...document, registrations: [registration] });
      return true;
    } catch (fault) {
      leftOut.push({ what, error: fault });
      return false;
    }
  };
  const registrations = document.registrations
    .filter(({ contacts: _c, ...bare }) => isWritable('an identity', bare))
    .map(({ contacts = [], ...bare }) => ({
      ...bare,
      contacts: contacts.filter((one) => isWritable('a contact', { ...bare, contacts: [one] })),
    }));
  if (registrations.length === 0) throw error;
  return { body: writeRegInfo({ ...document, registrations }), leftOut };
}
