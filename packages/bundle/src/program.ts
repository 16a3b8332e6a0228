/** The command line: `pua run`, `check`, `migrate`, `demo`, and the clients. */
import { Command, CommanderError } from 'commander';
import { check } from './commands/check.js';
import { callRpc } from './commands/client.js';
import { document, given, header, wholeNumber } from './commands/input.js';
import { type MigrateArguments, migrate } from './commands/migrate.js';
import { run } from './commands/run.js';
import { EXIT, type ExitCode, exitCodeOf, messageOf } from './exit.js';
import { version } from './version.js';

const DEFAULT_URL = 'http://127.0.0.1:8060';

interface ClientOptions {
  readonly url: string;
  readonly token?: string;
}

export interface Output {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** Runs the command line and gives the exit code; prints what is wrong, never a stack. */
export async function main(argv: readonly string[], { out, err }: Output): Promise<ExitCode> {
  let code: ExitCode = EXIT.fine;
  const program = new Command('pua')
    .description('SIP Presence User Agent')
    .version(version)
    .exitOverride()
    .configureOutput({ writeOut: out, writeErr: err });

  program
    .command('run')
    .description('run with a configuration until SIGTERM or SIGINT')
    .requiredOption('-c, --config <file>', 'YAML file')
    .option('--stop-on-stdin-end', 'stop when standard input ends')
    .action(async (options: { config: string; stopOnStdinEnd?: boolean }) => {
      code = await run(options);
    });
  program
    .command('check')
    .description('check a configuration and show what it means')
    .requiredOption('-c, --config <file>', 'YAML file')
    .action(({ config }: { config: string }) => {
      code = check(config, out);
    });
  program
    .command('migrate')
    .description("make Kamailio's table ours, in place, by a copy, or back; says first what it will do")
    .requiredOption('-c, --config <file>', 'YAML file: db_url and db_table name the table')
    .option('--down', "back to Kamailio's own form")
    .option('--from <table>', 'copy the rows of this table of Kamailio, which stays as it is')
    .option('--yes', 'do it')
    .action(async (options: MigrateArguments) => {
      code = await migrate(options, out);
    });
  program
    .command('demo')
    .description('play publication and subscription on loopback, with a presence server to talk to')
    .option('--once', 'play once and exit: 0 when all was seen')
    .action(async ({ once = false }: { once?: boolean }) => {
      // The test kit is loaded only here.
      const { demo } = await import('./demo/demo.js');
      code = await demo({ once, print: out });
    });

  const client = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .option('--url <url>', 'where the PUA listens', process.env['PUA_URL'] ?? DEFAULT_URL)
      .option('--token <token>', 'bearer token (better in PUA_TOKEN: other users see command lines)');
  const ask = async (options: ClientOptions, method: string, params: Record<string, unknown>) => {
    const token = options.token ?? process.env['PUA_TOKEN'];
    const result = await callRpc({ url: options.url, token }, method, given(params));
    out(`${JSON.stringify(result, null, 2)}\n`);
  };

  interface PublishOptions extends ClientOptions {
    readonly event: string;
    readonly expires?: number;
    readonly id?: string;
    readonly etag?: string;
    readonly contentType?: string;
    readonly body?: string;
    readonly file?: string;
    readonly proxy?: string;
    readonly header?: [string, string][];
    readonly wait: boolean;
  }
  client('publish', 'publish, refresh (no body) or remove (--expires 0) event state')
    .argument('<uri>', 'presentity, such as sip:alice@example.com')
    .option('--event <name>', 'event package', 'presence')
    .option('--expires <seconds>', 'negative: the default, kept alive for ever; 0: remove', wholeNumber)
    .option('--id <id>', 'distinguishes publications of one presentity')
    .option('--etag <etag>', 'only if this entity-tag is held')
    .option('--content-type <type>', 'when it differs from the default of the event')
    .option('--body <text>', 'the document')
    .option('--file <file>', 'file with the document, - for standard input')
    .option('--proxy <uri>', 'next hop')
    .option('--header <line>', 'extra header `Name: value`, may be repeated', header)
    .option('--no-wait', 'do not wait for the answer')
    .action(async (uri: string, options: PublishOptions) => {
      const { event, expires, id, etag, contentType, proxy, header: headers, wait } = options;
      const body = options.file === undefined ? options.body : document(options.file);
      const params = { uri, event, expires, id, ifMatch: etag, contentType, body, outboundProxy: proxy, headers, wait };
      await ask(options, 'pua.publish', params);
    });

  interface SubscribeOptions extends ClientOptions {
    readonly event: string;
    readonly expires?: number;
    readonly id?: string;
    readonly proxy?: string;
    readonly wait: boolean;
  }
  client('subscribe', 'subscribe, refresh or end (--expires 0) a subscription')
    .argument('<uri>', 'presentity')
    .argument('<watcher>', 'who watches')
    .option('--event <name>', 'event package', 'presence')
    .option('--expires <seconds>', 'negative: the default, kept alive for ever; 0: end', wholeNumber)
    .option('--id <id>', 'distinguishes subscriptions of one watcher')
    .option('--proxy <uri>', 'next hop')
    .option('--no-wait', 'do not wait for the answer')
    .action(async (uri: string, watcher: string, options: SubscribeOptions) => {
      const { event, expires, id, proxy, wait } = options;
      await ask(options, 'pua.subscribe', { uri, watcher, event, expires, id, outboundProxy: proxy, wait });
    });

  interface ListOptions extends ClientOptions {
    readonly kind?: string;
    readonly uri?: string;
    readonly event?: string;
    readonly source?: string;
    readonly state?: string;
    readonly limit?: number;
  }
  client('list', 'list records')
    .option('--kind <kind>', 'publication or subscription')
    .option('--uri <uri>', 'presentity')
    .option('--event <name>', 'event package')
    .option('--source <flag>', 'source flag, such as RPC_PUBLISH')
    .option('--state <state>', 'state, such as published')
    .option('--limit <number>', 'at most so many', wholeNumber)
    .action(async (options: ListOptions) => {
      const { kind, uri, event, source, state, limit } = options;
      await ask(options, 'pua.list', { kind, uri, event, source, state, limit });
    });
  client('show', 'show one record with its document')
    .argument('<key>', 'as list gives it')
    .action((key: string, options: ClientOptions) => ask(options, 'pua.show', { key }));
  client('stats', 'show figures').action((options: ClientOptions) => ask(options, 'pua.stats', {}));
  client('cleanup', 'run the sweep now').action((options: ClientOptions) => ask(options, 'pua.cleanup', {}));

  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    // Commander has printed what it had to say.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.usage;
    err(`pua: ${messageOf(error)}\n`);
    return exitCodeOf(error);
  }
}
