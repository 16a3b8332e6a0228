/** The end of a peer that its parent talks to. */

/** Without a field it only asks for the report. */
export interface Order {
  /** From now on keep so many NOTIFYs outstanding; 0 ends it. */
  readonly window?: number;
  /** Where they go on 127.0.0.1, for those who have no dialogs. */
  readonly to?: number;
}

/** Sent once the peer is ready, and in answer to each order. */
export interface PeerReport {
  readonly port: number;
  /** CPU time of the process so far, microseconds. */
  readonly cpu: number;
}

export function ready(port: number, heed: (order: Order) => void = () => undefined): void {
  const report = (): void => {
    const { user, system } = process.cpuUsage();
    const message: PeerReport = { port, cpu: user + system };
    process.send!(message);
  };
  process.on('message', (order) => {
    heed(order as Order);
    report();
  });
  process.on('disconnect', () => process.exit(0));
  report();
}
