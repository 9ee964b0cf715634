// Who was met a moment ago and is left in peace, under its address and, once read, under its TempID (BT-09). One string of entries, oldest first: the interpreter searches
// and cuts strings in native code, where a loop over 64 entries would take as long as a scan window has to spare.
// offset 0  4 characters  when, a clock's seconds, little-endian, 8 bits each
// offset 4  8 characters  key

const ENTRY = 12;
/** Entries, of which the oldest goes when another comes. */
export const BLACKLIST_ENTRIES = 64;

/** Key of an address as printed, `aa:bb:cc:dd:ee:ff`: its six bytes and two zeros, which no TempID begins with. */
export function addressKey(address: string): string {
  let key = "";
  for (let i = 0; i < 6; i++) key += String.fromCharCode(parseInt(address.substr(3 * i, 2), 16));
  return key + "\0\0";
}

/** Key of a TempID: its first eight characters, 48 random bits; a shorter one is filled up. */
export function tempIdKey(id: string): string {
  return (id + "        ").substr(0, 8);
}

/** Offset of a key's entry, -1 if there is none. */
function find(list: string, key: string): number {
  let at = -1;
  for (;;) {
    const next = list.indexOf(key, at + 1);
    // the interpreter's indexOf also finds the mere beginning of a key at the very end of the list, and from there on the same again and again
    if (next <= at) return -1;
    // a key may also turn up across two entries
    if (next % ENTRY === 4) return next - 4;
    at = next;
  }
}

/** Was this peer met less than `ttl` seconds before `now`? An entry from the future, left by a clock that was set back, doesn't count. */
export function isBlacklisted(list: string, key: string, now: number, ttl: number): boolean {
  const at = find(list, key);
  if (at < 0) return false;
  let since = now;
  for (let i = 0; i < 4; i++) since -= list.charCodeAt(at + i) * (1 << (8 * i));
  return since >= 0 && since < ttl;
}

/** The list after a connection to a peer came about at `now`, in whole seconds; an empty list is `""`. */
export function blacklisted(list: string, key: string, now: number): string {
  const at = find(list, key);
  const others = at < 0 ? list : list.substr(0, at) + list.substr(at + ENTRY);
  const kept = others.length < ENTRY * BLACKLIST_ENTRIES ? others : others.substr(ENTRY);
  return kept + String.fromCharCode(now & 255, (now >> 8) & 255, (now >> 16) & 255, now >>> 24) + key;
}
