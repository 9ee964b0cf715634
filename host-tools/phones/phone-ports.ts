// What a virtual phone needs of the world: a clock and a radio. The simulator's air brings both; tests bring a radio in memory.

/** True time as the simulator's clock has it. */
export interface PhoneClock {
  /** Unix seconds, with a fraction. */
  readonly now: number;
  after(seconds: number, fn: () => void): { cancel(): void };
}

/** A link that a phone has opened, as a central. Each call's `done` is called once, with undefined or false if the peer refused or the link ended. */
export interface PhoneLink {
  /** Of this link; a part of a value has at most MTU - 1 bytes. */
  readonly mtu: number;
  /** The bytes of the peer's characteristic from `offset` on, as many as a part holds. */
  read(offset: number, done: (part: Uint8Array | undefined) => void): void;
  /** A whole value, as one write or as many prepared ones. */
  write(value: Uint8Array, done: (written: boolean) => void): void;
  disconnect(): void;
}

/** What a peer's central does to us while it is connected. */
export interface PeripheralSession {
  /** Undefined: no such offset. At most 512 bytes; the radio cuts it to its MTU. */
  read(offset: number): Uint8Array | undefined;
  write(value: Uint8Array): boolean;
  prepare(offset: number, part: Uint8Array): boolean;
  execute(commit: boolean): boolean;
}

export interface PhoneRadio {
  startScan(): void;
  stopScan(): void;
  /** Connectable advertising of this data, from an address that is fresh if `freshAddress`. */
  advertise(data: Uint8Array, freshAddress: boolean): void;
  stopAdvertising(): void;
  /** Gives up after so many seconds. */
  connect(address: string, seconds: number, done: (link: PhoneLink | undefined) => void): void;
}
