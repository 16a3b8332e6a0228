/** `pua migrate`: says what has to be done to the table that db_url and db_table name, and does it with --yes. */
import { type MigrationPlan, migrate as migrateTable } from '@pua/store';
import { loadConfig } from '../config/load.js';
import { EXIT, type ExitCode } from '../exit.js';

export interface MigrateArguments {
  readonly config: string;
  readonly down?: boolean;
  readonly from?: string;
  readonly yes?: boolean;
}

const SHOWN = 50;

const bullets = (lines: readonly string[]): string => lines.map((line) => `  - ${line}\n`).join('');

function told({ lost, rows, steps, where }: MigrationPlan): string {
  if (steps.length === 0) return `${where}, ${rows} rows: nothing to do.\n`;
  const more = lost.length > SHOWN ? [`and ${lost.length - SHOWN} more`] : [];
  const gone = bullets([...lost.slice(0, SHOWN).map(({ key, reason }) => `${key}: ${reason}`), ...more]);
  const loss = lost.length === 0 ? '' : `These records have no room in Kamailio's table and are deleted:\n${gone}`;
  return `${where}, ${rows} rows:\n${bullets(steps)}${loss}`;
}

export async function migrate(given: MigrateArguments, print: (text: string) => void): Promise<ExitCode> {
  const { config, secrets } = loadConfig(given.config);
  const { dbTable: table, dbUrl } = config.pua;
  const { down = false, from, yes = false } = given;
  const options = { table, down, ...(from === undefined ? {} : { from }) };
  try {
    const plan = await migrateTable(dbUrl, options, (found) => {
      print(told(found));
      if (!yes) print('Nothing was changed. Stop Kamailio and `pua run`, then run this again with --yes.\n');
      return yes;
    });
    print(plan.steps.length === 0 ? told(plan) : yes ? 'Done.\n' : '');
  } catch (error) {
    if (error instanceof Error) error.message = secrets.hide(error.message);
    throw error;
  }
  return EXIT.fine;
}
