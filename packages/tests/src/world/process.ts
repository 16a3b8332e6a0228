/** A process in the simulated world: what it set going stops at once when it is killed. */
import type { Clock, Timer } from '@pua/core';
import type { BindDatagram, DatagramSocket } from '@pua/sip';
import type { SimClock, SimNetwork } from '@pua/testkit';

export class SimProcess {
  #alive = true;
  readonly #sockets: DatagramSocket[] = [];
  readonly #timers = new Set<Timer>();
  readonly clock: Clock;
  readonly bindDatagram: BindDatagram;

  constructor(
    world: SimClock,
    network: SimNetwork,
    watch: { sent(data: Uint8Array, to: string): void; received(data: Uint8Array): void },
  ) {
    this.clock = {
      now: () => world.now(),
      wall: () => world.wall(),
      after: (ms, run) => this.#after(world, ms, run),
    };
    this.bindDatagram = async (host, port, receive) => {
      const socket = await network.bind(host, port, (data, from, fromPort) => {
        if (!this.#alive) return;
        watch.received(data);
        receive(data, from, fromPort);
      });
      this.#sockets.push(socket);
      return {
        host: socket.host,
        port: socket.port,
        send: (data, toPort, to) => {
          if (!this.#alive) return;
          watch.sent(data, `${to}:${toPort}`);
          socket.send(data, toPort, to);
        },
        close: () => socket.close(),
      };
    };
  }

  #after(world: SimClock, ms: number, run: () => void): Timer {
    const timer = world.after(ms, () => {
      this.#timers.delete(timer);
      if (this.#alive) run();
    });
    this.#timers.add(timer);
    return {
      cancel: () => {
        this.#timers.delete(timer);
        timer.cancel();
      },
    };
  }

  /** Timers that are set and neither run nor cancelled. */
  get timers(): number {
    return this.#timers.size;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** kill -9 */
  kill(): void {
    this.#alive = false;
    for (const socket of this.#sockets) void socket.close();
  }
}
