/** What is refused before a table is read. */
import {
  type KamailioDialogsOptions,
  type KamailioLocationOptions,
  kamailioDialogs,
  kamailioLocation,
} from '@pua/sources';
import { run } from './support';

test('options that are wrong are refused by name', () => {
  const location = (options: object) => () => kamailioLocation(options as KamailioLocationOptions);
  expect(location({})).toThrow('kamailioLocation dbUrl (db_url): name the database, such as mysql://');
  expect(location({ dbUrl: 'mysql://u:secret@h' })).toThrow(/^(?!.*secret)/);
  expect(location({ dbUrl: 'sqlite:x', pollInterval: 1 })).toThrow(
    'pollInterval (poll_interval): must be 10 or more, not 1',
  );
  expect(location({ dbUrl: 'sqlite:x', rowsPerPoll: 0 })).toThrow('rowsPerPoll (rows_per_poll): must be 1 or more');
  const dialogs = (options: object) => () => kamailioDialogs(options as KamailioDialogsOptions);
  expect(dialogs({})).toThrow('kamailioDialogs dbUrl (db_url): name the database');
  expect(dialogs({ dbUrl: 'sqlite:x', table: '' })).toThrow('kamailioDialogs table (table): must be a text');
});

test('before it is used it has no bindings to show; a database that is not there is an error of start()', async () => {
  const source = kamailioLocation({ dbUrl: 'mysql://u:secret@127.0.0.1:1/kamailio' });
  expect(() => source.snapshot!()).toThrow(
    expect.objectContaining({ code: 'PUA_ERR_STATE', message: expect.stringContaining('pua.use(...) it first') }),
  );
  await expect(source.bindings!('alice')).rejects.toMatchObject({ code: 'PUA_ERR_STATE' });
  await expect(run(source)).rejects.toMatchObject({
    code: 'PUA_ERR_STORE_OPEN',
    message: expect.stringMatching(/^kamailioLocation: table location can't be read: (?!.*secret)/),
  });
});
