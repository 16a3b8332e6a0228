/**
 * Calls of Kamailio from its tables `dialog` and `dialog_vars`: no change of its script is needed but dlg_manage(), and
 * `db_mode` 1 of dialog.
 *
 *   row appears          -> created, early or confirmed, by its state
 *   its state changes    -> early, confirmed
 *   another change       -> updated
 *   row goes             -> expired when its timeout had run out, else terminated
 *   its timeout runs out -> expired
 */
import type { DialogListener, DialogSnapshot, DialogSource, PuaApi, PuaModule } from '@pua/core';
import { Database } from './database.js';
import { dialogMeaning } from './dialog-mapping.js';
import { DialogRows } from './dialog-rows.js';
import { checkTableOptions, KAMAILIO_DIALOGS_PARAMETERS, type KamailioDialogsOptions } from './options.js';
import { TableSource } from './table-source.js';

class KamailioDialogs implements DialogSource, PuaModule {
  readonly name = 'kamailio-dialogs';
  readonly #options;
  readonly #source;

  constructor(options: KamailioDialogsOptions) {
    this.#options = checkTableOptions('kamailioDialogs', KAMAILIO_DIALOGS_PARAMETERS, options);
    this.#source = new TableSource(new Database('kamailioDialogs', this.#options.dbUrl), this.#options, dialogMeaning);
  }

  onEvent(listener: DialogListener): () => void {
    return this.#source.onEvent(listener);
  }

  setup(pua: PuaApi): void {
    this.#source.setup(pua);
  }

  start(): Promise<void> {
    const { table, varsTable } = this.#options;
    return this.#source.start(() => DialogRows.open(this.#source.database, table, varsTable));
  }

  stop(): Promise<void> {
    return this.#source.stop();
  }

  live(): AsyncIterable<DialogSnapshot> {
    return this.#source.items('live()');
  }
}

/**
 * Calls from Kamailio's table `dialog`; `pua.use()` it before the companions that listen. start() reads the table once,
 * without events, and fails when it can't; later failures are told as faults, and what is known is kept.
 * @throws PuaError `PUA_ERR_OPTION`
 */
export function kamailioDialogs(options: KamailioDialogsOptions): DialogSource & PuaModule {
  return new KamailioDialogs(options);
}
