/** SIP registrar and tap. */
import type { RegistrarOptions } from './options.js';
import { Registrar } from './registrar.js';

/** For sources of your own. */
export { type ContactValue, readContacts } from './contact.js';
export type { RegistrarAlgorithm } from './digest.js';
export { REGISTRAR_PARAMETERS, type RegisterInfo, type RegistrarOptions } from './options.js';
export { REGISTRAR_EXTENSIONS, type Registrar } from './registrar.js';
export type { RegistrarUser } from './users.js';

/**
 * A registrar of its own, or a tap on the REGISTERs that Kamailio or OpenSIPS copies to us, or both.
 *
 *     const source = registrar({ trusted: ['127.0.0.1/32'] });
 *     pua.use(source).use(usrloc({ source }));
 *
 * @throws PuaError `PUA_ERR_OPTION`, also when it would have nobody to believe
 */
export function registrar(options: RegistrarOptions): Registrar {
  return new Registrar(options);
}
