import { describe, expect, test } from "vitest";
import { AppBackend, type PhoneSetup } from "../../../host-tools/servers/quarantine/app-backend.ts";
import { readControls, saveControls } from "../../../host-tools/servers/quarantine/saved-controls.ts";
import { type ControlSettings, PRESETS } from "../../../host-tools/servers/quarantine/settings.ts";
import { MESSAGE_FRAGMENT } from "../../../protocols/smartbeacon/advertisement.ts";
import { fromHex, loadVectors, type Row } from "../../support/vectors.ts";

const { backend } = loadVectors("smartbeacon.json");
const timelines: Row[] = backend.timelines;

/** The vectors' names of settings, and ours; the mode of the keys belongs to a setup. */
function settingsOf(config: Row): ControlSettings {
  const { basis, future_s, t_max_s, tol_s, limit_s, control_s, fault_n, fault_spread_s } = { ...backend.defaults, ...config } as Row;
  return {
    basis,
    futureSeconds: future_s,
    staleSeconds: t_max_s,
    punctualSeconds: tol_s,
    limitSeconds: limit_s,
    controlSeconds: control_s,
    faultMessages: fault_n,
    faultSpreadSeconds: fault_spread_s,
    rawKeys: true,
  };
}

const modeOf = (config: Row): "split" | "single" => ({ ...backend.defaults, ...config }).mode;

function setupOf(step: Row, config: Row): PhoneSetup {
  return {
    pastKey: fromHex(step.phone),
    pastTime: step.t_past,
    beacon: { id: fromHex(step.id_beacon), sk: fromHex(step.sk), mode: modeOf(config) },
  };
}

/** What a step answers, as the vectors write it. `at` of a setup: they say none, so a second before the first that has one. */
function take(server: AppBackend, step: Row, { config, steps }: Row): unknown {
  switch (step.op) {
    case "setup":
      server.setup(setupOf(step, config), steps.find(({ at }: Row) => at).at - 1);
      return {};
    case "enable":
      return { enabled: server.enable(step.id_beacon, step.at) };
    case "tick":
      return { events: server.tick(step.at) };
    default: {
      const messages = step.messages.map((message: string) => ({ type: MESSAGE_FRAGMENT, bytes: fromHex(message) }));
      const { verdicts, events } = server.batch({ phone: step.phone, messages }, step.at);
      return { verdicts, events };
    }
  }
}

describe.each(timelines)("QB-04, QB-17, QB-18: $name", (timeline) => {
  const settings = settingsOf(timeline.config);

  test.each(timeline.steps.map((step: Row, index: number) => ({ ...step, index })) as Row[])("step $index, $op", ({ index }) => {
    const server = new AppBackend(settings);
    for (const step of timeline.steps.slice(0, index)) take(server, step, timeline);
    expect(take(server, timeline.steps[index], timeline)).toEqual(timeline.steps[index].expect);
  });

  test("the same with a restart before each step", () => {
    let saved = saveControls([]);
    for (const step of timeline.steps) {
      const server = new AppBackend(settings, readControls(saved));
      expect(take(server, step, timeline)).toEqual(step.expect);
      saved = saveControls(server.state);
    }
  });
});

test("the presets are those of the vectors", () => {
  const named = (name: RegExp) => settingsOf(timelines.find((timeline) => name.test(timeline.name))!.config);
  const { controlSeconds, ...standard } = settingsOf({});
  expect(PRESETS.standard).toEqual({ ...standard, controlSeconds, rawKeys: false });
  expect(PRESETS.paper).toEqual(named(/^paper preset/));
  expect(PRESETS.demo).toEqual(named(/^demo preset/));
});
