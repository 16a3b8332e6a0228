/** Kamailio 5.6's own table `pua`, as its scripts make it, and rows of it. */

const columns = (serial: string, int: string) => `
    id ${serial} PRIMARY KEY NOT NULL,
    pres_uri VARCHAR(255) NOT NULL,
    pres_id VARCHAR(255) NOT NULL,
    event ${int} NOT NULL,
    expires ${int} NOT NULL,
    desired_expires ${int} NOT NULL,
    flag ${int} NOT NULL,
    etag VARCHAR(128) NOT NULL,
    tuple_id VARCHAR(64),
    watcher_uri VARCHAR(255) NOT NULL,
    call_id VARCHAR(255) NOT NULL,
    to_tag VARCHAR(128) NOT NULL,
    from_tag VARCHAR(128) NOT NULL,
    cseq ${int} NOT NULL,
    record_route TEXT,
    contact VARCHAR(255) NOT NULL,
    remote_contact VARCHAR(255) NOT NULL,
    version ${int} NOT NULL,
    extra_headers TEXT NOT NULL`;

const indexes = (prefix: string) => [
  `CREATE INDEX ${prefix}expires_idx ON pua (expires)`,
  `CREATE INDEX ${prefix}dialog1_idx ON pua (pres_id, pres_uri)`,
  `CREATE INDEX ${prefix}dialog2_idx ON pua (call_id, from_tag)`,
  `CREATE INDEX ${prefix}record_idx ON pua (pres_id)`,
];

const script = (serial: string, int: string, prefix: string): string[] => [
  `CREATE TABLE version (id ${serial} PRIMARY KEY NOT NULL, table_name VARCHAR(32) NOT NULL,
    table_version ${int} DEFAULT 0 NOT NULL, CONSTRAINT table_name_idx UNIQUE (table_name))`,
  `CREATE TABLE pua (${columns(serial, int)},
    CONSTRAINT ${prefix}pua_idx UNIQUE (etag, tuple_id, call_id, from_tag))`,
  ...indexes(prefix),
  "INSERT INTO version (table_name, table_version) values ('pua', 7)",
];

export const KAMAILIO_SCRIPTS = {
  sqlite: script('INTEGER', 'INTEGER', 'pua_'),
  mariadb: script('INT(10) UNSIGNED AUTO_INCREMENT', 'INT(11)', ''),
  postgres: script('SERIAL', 'INTEGER', 'pua_'),
};

const NAMES = [
  ...['pres_uri', 'pres_id', 'event', 'expires', 'desired_expires', 'flag', 'etag', 'tuple_id', 'watcher_uri'],
  ...['call_id', 'to_tag', 'from_tag', 'cseq', 'record_route', 'contact', 'remote_contact', 'version', 'extra_headers'],
];

/** A publication and a dialog, as Kamailio stores them. */
export const KAMAILIO_ROWS = [
  `insert into pua (${NAMES.join(', ')}) values ('sip:alice@example.com', 'id', 1, 2000000000, 0, 1, 'a.1', 'tuple', '',
    '', '', '', 0, null, '', '', 3, '')`,
  `insert into pua (${NAMES.join(', ')}) values ('sip:bob@example.com', '', 1, 2000000000, 0, 16, '', null,
    'sip:watcher@example.com', 'call@host', 'to', 'from', 7, '<sip:proxy.example.com;lr>', 'sip:us@192.0.2.1',
    'sip:them@192.0.2.2', 0, 'X-One: 1')`,
];
