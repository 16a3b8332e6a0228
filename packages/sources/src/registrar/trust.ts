/** Addresses whose REGISTERs are copies of what a registrar has accepted. */
import { BlockList, isIP } from 'node:net';
import { PuaError } from '@pua/core';

/** Answers that are remembered. */
const REMEMBERED = 1_000;

export class TrustedAddresses {
  readonly #list = new BlockList();
  readonly #known = new Map<string, boolean>();

  /**
   * @param networks `192.0.2.0/24`, `2001:db8::/32`, or an address
   * @throws PuaError `PUA_ERR_OPTION`
   */
  constructor(networks: readonly string[]) {
    for (const [index, network] of networks.entries()) this.#add(network, `registrar trusted[${index}]`);
  }

  #add(network: unknown, where: string): void {
    const [address = '', prefix, more] = String(network).split('/');
    const version = isIP(address);
    const bits = version === 6 ? 128 : 32;
    const length = prefix === undefined ? bits : /^[0-9]{1,3}$/.test(prefix) ? Number(prefix) : -1;
    if (version === 0 || more !== undefined || length < 0 || length > bits)
      throw new PuaError(
        'PUA_ERR_OPTION',
        `${where}: must be an address or a network such as 192.0.2.0/24 or 2001:db8::/32, not ${JSON.stringify(network)}`,
      );
    this.#list.addSubnet(address, length, version === 6 ? 'ipv6' : 'ipv4');
  }

  has(host: string): boolean {
    const known = this.#known.get(host);
    if (known !== undefined) return known;
    const version = isIP(host);
    const trusted = version !== 0 && this.#list.check(host, version === 6 ? 'ipv6' : 'ipv4');
    if (this.#known.size >= REMEMBERED) this.#known.clear();
    this.#known.set(host, trusted);
    return trusted;
  }
}
