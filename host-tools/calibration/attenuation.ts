import { attenuation } from "../matching/sighting-rules.ts";

/** What a model of device differs by from the reference, dB. Zero of both is the reference itself. */
export interface Correction {
  /** Added to an RSSI that it reports. */
  rssi: number;
  /** Added to a transmit power that it names. Of phones, whose packets name the corrected power already, it must not be given. */
  txPower: number;
}

/**
 * What the way took, dB, never negative: transmit power − (RSSI + correction). `txPower`: dBm as the packet names it; `rssi`: dBm as it was reported.
 * `attenuation` of matching, of what the reference would have sent and heard. Source: Google, "Exposure Notifications BLE attenuations": TX_power − (RSSI_measured + RSSI_correction).
 *
 * @example
 * attenuationOf({ txPower, rssi: maxRssi }, calibrationOf(list, board.type)?.correction)
 */
export function attenuationOf({ txPower, rssi }: { txPower: number; rssi: number }, receiver?: Correction, sender?: Correction): number {
  return attenuation(txPower + (sender?.txPower ?? 0), rssi + (receiver?.rssi ?? 0));
}
