/** `pua demo`: the play, and then, unless it is to be played once, a PUA that stays to be looked at. */
import { EXIT, type ExitCode, messageOf } from '../exit.js';
import { playPhones } from './phones.js';
import { ALICE, BOB, play, publish, subscribe } from './play.js';
import { Stage } from './stage.js';

/** Seconds granted when it stays: a refresh is seen every half of it. */
const STAY = 10;

export interface DemoOptions {
  readonly once: boolean;
  readonly print: (text: string) => void;
}

export async function demo({ once, print }: DemoOptions): Promise<ExitCode> {
  print('Setting the stage: a presence server here, the PUA as a process of its own, all on loopback ...\n');
  let interrupted: () => void = () => undefined;
  const interruption = new Promise<'interrupted'>((resolve) => {
    interrupted = () => resolve('interrupted');
  });
  let signals = 0;
  const onSignal = () => {
    // tearDown() runs at exit.
    if (++signals > 1) process.exit(EXIT.failed);
    interrupted();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);

  const stage = await Stage.set(print);
  const atExit = () => stage.tearDown();
  process.once('exit', atExit);

  let code: ExitCode = EXIT.fine;
  let whole = false;
  try {
    const act = await Promise.race([perform(stage, once, print), interruption]);
    if (act === 'interrupted') {
      print('\nInterrupted: ending everything ...\n');
      if (once) code = EXIT.failed;
    } else {
      whole = true;
      if (!once) {
        await interruption;
        print('\nEnding everything ...\n');
      }
    }
  } catch (error) {
    print(`\nFAILED: ${messageOf(error)}\n`);
    code = EXIT.failed;
  }
  const how = await stage.strike();
  if (whole && how !== 0) {
    print(`\nFAILED: the PUA did not end cleanly on SIGTERM, but with ${how}\n`);
    code = EXIT.failed;
  }
  process.off('exit', atExit);
  process.off('SIGINT', onSignal);
  process.off('SIGTERM', onSignal);
  if (once && whole && code === EXIT.fine) print('\nAll of it was seen. Everything is stopped.\n');
  return code;
}

async function perform(stage: Stage, once: boolean, print: (text: string) => void): Promise<'played'> {
  const { started, pid } = await stage.startPua();
  print(`
Presence server   udp:127.0.0.1:${stage.presence.port}  (of @pua/testkit, in this process)
PUA               ${started.sip.join(', ')}  (process ${pid}: pua run --config ${stage.config})
Commands          ${started.http}/RPC
The ladder shows what the presence server's socket received and sent; times are in seconds.
`);
  await play(stage);
  await playPhones(stage);
  if (once) return 'played';

  stage.step('To stay', `Once more, with ${STAY} s granted: refreshes go on until Ctrl-C.`);
  stage.presence.grant(STAY);
  await publish(stage, 'open', 'back at the desk');
  await subscribe(stage);
  const url = stage.pua.started.http;
  print(`
Try, from another terminal (${ALICE}, watched by ${BOB}):
  curl -s ${url}/health
  curl -s -H 'Content-Type: application/json' ${url}/RPC -d '{"jsonrpc":"2.0","id":1,"method":"pua.list"}'
Ctrl-C ends everything.

`);
  return 'played';
}
