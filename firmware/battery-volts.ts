import { BATTERY_PIN, VOLTS_AT_ONE } from "tracelet:build";

/** What the battery has now, volts: at the chip's own supply, or where a regulator is between them at the pin that the board has for it. */
export function batteryVolts(): number {
  return VOLTS_AT_ONE ? analogRead(BATTERY_PIN) * VOLTS_AT_ONE : NRF.getBattery();
}
