import { expect, test } from "vitest";
import { ATTENUATION_THRESHOLD } from "../../host-tools/matching/dp3t-contacts.ts";
import { BATCH_MS } from "../../protocols/dp3t/exposed-list.ts";
import { EPOCH_SECONDS, EPOCHS } from "../../protocols/dp3t/low-cost.ts";
import { COMPACT_TOKEN, FERNET_FRAGMENT, MESSAGE_FRAGMENT, WHOLE_MESSAGE } from "../../protocols/smartbeacon/advertisement.ts";
import { KEPT_DAYS } from "../../protocols/smartbeacon/day-record.ts";
import { CHUNK } from "../../protocols/smartbeacon/fragments.ts";
import { FUTURE_SECONDS, MESSAGE_C_BYTES, STALE_SECONDS } from "../../protocols/smartbeacon/open-message.ts";
import { RECEIVER_LIMITS } from "../../protocols/smartbeacon/receiver.ts";
import { loadVectors } from "../support/vectors.ts";

const { dp3t, smartbeacon } = loadVectors("parameters.json");

test("DP-3T has the published numbers (DP-02, DP-09, DP-10)", () => {
  expect([EPOCH_SECONDS, EPOCHS, BATCH_MS / 1000]).toEqual([dp3t.epoch_s, dp3t.ephids_per_day, dp3t.batch_s]);
  expect(ATTENUATION_THRESHOLD).toBe(dp3t.sdk.attenuation_threshold);
});

test("SmartBeacon has the stated numbers (QB-09, QB-10, QB-17, QB-22)", () => {
  const { fragment, fernet_fragment, compact, whole } = smartbeacon.types;
  expect([MESSAGE_FRAGMENT, FERNET_FRAGMENT, COMPACT_TOKEN, WHOLE_MESSAGE].map((type) => type.toString(16))).toEqual([
    fragment,
    fernet_fragment,
    compact,
    whole,
  ]);
  expect([MESSAGE_C_BYTES, CHUNK]).toEqual([smartbeacon.message_bytes, smartbeacon.chunk_bytes]);
  expect([FUTURE_SECONDS, STALE_SECONDS]).toEqual([smartbeacon.backend.future_s, smartbeacon.backend.t_max_s]);
  expect(KEPT_DAYS).toBe(smartbeacon.dismantle_days);
  const { t_msg_ms, ttl_ms, new_ids, bucket } = smartbeacon.receiver;
  expect(RECEIVER_LIMITS).toEqual({ messageMs: t_msg_ms, contextMs: ttl_ms, newIds: new_ids, bucket });
});
