import { daysPlot, eventPlot, minutesByNearness, nearest, overviewPlot, paintOf, type ScoredDay, USUAL_LIMIT } from "./plots.ts";
import { COLOURS, inlineSvg } from "./scene.ts";
import { type ExposureEvent, runs } from "./timeline.ts";
import { clockTime, counted, dayName, duration, escaped, NEARNESS, NEARNESS_THRESHOLDS, nearness, PROTECTION, span, type Zone } from "./words.ts";

/** What a report is made of. */
export interface Report {
  title: string;
  /** Protocol whose keys were looked for. */
  protocol: string;
  /** Unix seconds. */
  madeAt: number;
  zone: Zone;
  /** By board id; what has no name is told by its id. */
  names: ReadonlyMap<string, string>;
  events: readonly ExposureEvent[];
  /** Empty where the protocol has no score. */
  days: readonly ScoredDay[];
  /** What was looked for in what. */
  keys: number;
  encounters: number;
  /** Encounters and keys that did not count, in words. */
  setApart: readonly string[];
  /** Lists of further facts under headings of their own. */
  notes?: readonly { heading: string; lines: readonly string[] }[];
}

const STYLE = `
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:50rem;margin:0 auto;padding:2rem 1.2rem 4rem}
h1{font-size:1.7rem;line-height:1.2;margin:0}
h2{font-size:1.25rem;margin:2.6rem 0 .4rem}
h3{font-size:1.05rem;margin:0 0 .2rem}
p{margin:.5rem 0}
.lead{color:var(--soft);margin:.3rem 0 0}
.answer{border-left:4px solid var(--near);padding:.4rem 0 .4rem 1rem;margin:1.4rem 0;font-size:1.1rem}
.answer.none{border-color:var(--protected)}
.event{border:1px solid var(--grid);border-radius:10px;padding:1rem 1.1rem;margin:1rem 0;break-inside:avoid}
.tag{display:inline-block;border-radius:1em;border:1px solid currentColor;padding:0 .6em;font-size:.85rem;margin-right:.4em}
.tag.protected{color:var(--protected)}.tag.place{color:var(--place)}.tag.safe{color:var(--soft)}
.plot{overflow-x:auto}
svg{display:block;width:100%;min-width:34rem;height:auto;margin:.6rem 0}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.92rem}
caption{text-align:left;color:var(--soft);padding-bottom:.2rem}
th,td{text-align:left;padding:.25rem .8rem .25rem 0;border-bottom:1px solid var(--grid);vertical-align:top}
th{color:var(--soft);font-weight:600}
td:first-child,.how{white-space:nowrap}
td.n,th.n{text-align:right;padding-right:1.6rem;font-variant-numeric:tabular-nums}
.dot{display:inline-block;width:.8em;height:.8em;border-radius:.2em;margin-right:.4em;vertical-align:-.05em}
dt{font-weight:600;margin-top:.5rem}dd{margin:0 0 .3rem}
.foot{color:var(--soft);font-size:.88rem;margin-top:2.5rem}
@media print{body{font-size:11pt;print-color-adjust:exact;-webkit-print-color-adjust:exact}main{padding:0;max-width:none}.plot,.wide{overflow:visible}svg{min-width:0}h2,h3{break-after:avoid}tr{break-inside:avoid}}
`;

/** One self-contained HTML page: no script, nothing from elsewhere, every text escaped. */
export function reportPage(report: Report): string {
  const { title, zone, madeAt, events, days, notes = [] } = report;
  const nameOf = (board: string | null) => (board === null ? "unknown board" : (report.names.get(board) ?? board));
  const made = zone.local(madeAt);
  const body = [
    `<header><h1>${escaped(title)}</h1><p class="lead">Made on ${dayName(made)}, ${clockTime(made)}. All times are ${zone.name === "UTC" ? "UTC, the time of London in winter" : `those of ${escaped(zone.name)}`}.</p></header>`,
    answer(report),
    ...(events.length > 0
      ? [
          legend(),
          section(
            "When",
            `<div class="plot">${inlineSvg(overviewPlot(events, nameOf, zone), "overview")}</div><p class="lead">Each row is a day of a board. Numbers are those of the events below.</p>`,
          ),
          ...(days.length > 0 ? [section("How much that weighs", scores(days, nameOf))] : []),
          section("Event by event", events.map((event) => eventPart(event, nameOf, zone)).join("\n")),
        ]
      : []),
    section("What this means, and what not", meaning()),
    ...notes.map(({ heading, lines }) => section(heading, `<ul>${lines.map((line) => `<li>${escaped(line)}</li>`).join("")}</ul>`)),
    foot(report),
  ];
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>${escaped(title)}</title><style>${COLOURS}${STYLE}</style></head>
<body><main>
${body.join("\n")}
</main></body>
</html>
`;
}

const section = (heading: string, content: string) => `<section><h2>${escaped(heading)}</h2>${content}</section>`;

/** The page in two sentences. */
function answer({ events, names, zone, keys, encounters }: Report): string {
  const counting = events.filter(({ safe }) => !safe);
  const looked = `${counted(keys, "published key")} ${keys === 1 ? "was" : "were"} looked for in ${counted(encounters, "encounter")}.`;
  const marked =
    events.length > counting.length
      ? ` ${counted(events.length - counting.length, "event")} marked as safe ${events.length - counting.length === 1 ? "is" : "are"} shown below and not counted.`
      : "";
  if (counting.length === 0)
    return `<p class="answer none"><strong>No exposure was found${events.length > 0 ? " that counts" : ""}.</strong> ${looked}${marked} That is no all-clear: boards hear for some seconds in five minutes, and not everybody publishes keys.</p>`;
  const boards = [...new Set(counting.map(({ board }) => board))].map((board) =>
    board === null ? "a board without a name" : (names.get(board) ?? board),
  );
  const minutes = counting.reduce((sum, event) => sum + event.minutes.length, 0);
  const close = counting.flatMap((event) => event.minutes).filter(({ attenuation }) => nearness(attenuation) <= 1).length;
  const days = new Set(counting.map(({ from }) => Math.floor(zone.local(from) / 86400))).size;
  const who = boards.length > 4 ? counted(boards.length, "board") : boards.map(escaped).join(" and ");
  return `<p class="answer"><strong>${who} ${boards.length === 1 ? "was" : "were"} within radio reach of somebody whose keys were published</strong>: ${counted(counting.length, "time")} on ${counted(days, "day")}, about ${duration(minutes * 60)} in all, ${close === 0 ? "none" : duration(close * 60)} of it near or very near. ${looked}${marked}</p>`;
}

function legend(): string {
  const [first, second, third] = NEARNESS_THRESHOLDS;
  const rows = [
    `up to ${first} dB`,
    `${first + 1} to ${second} dB`,
    `${second + 1} to ${third} dB`,
    `more than ${third} dB`,
    "the packets did not tell how strong they were sent",
  ].map((range, i) => {
    const attenuation = [0, first + 1, second + 1, third + 1, null][i];
    return `<tr><td><span class="dot" style="background:var(--${paintOf(attenuation)})"></span>${NEARNESS[i]}</td><td>${range}</td></tr>`;
  });
  return section(
    "How near",
    `<p>A radio signal loses strength on its way. How much it lost is called attenuation, in decibels (dB): <strong>the fewer decibels, the nearer</strong>. But a body, a pocket or a wall in between costs decibels too, so it is no ruler: a friend behind you on a sofa may look as far as a stranger across the room.</p>
<div class="wide"><table><caption>Words and colours of this page</caption><thead><tr><th scope="col">word</th><th scope="col">attenuation</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>`,
  );
}

function scores(days: readonly ScoredDay[], nameOf: (board: string | null) => string): string {
  const rows = days.map(
    ({ board, day, scoreSeconds, heardSeconds }) =>
      `<tr><td>${escaped(nameOf(board))}</td><td>${dayName(day * 86400)}</td><td class="n">${duration(heardSeconds)}</td><td class="n">${(scoreSeconds / 60).toFixed(1)} min</td></tr>`,
  );
  return `<p>Health authorities weigh minutes: near ones more, far ones less or not at all. Many warned from ${USUAL_LIMIT} weighed minutes a day on. Days are counted in UTC; events marked as safe are left out.</p>
<div class="plot">${inlineSvg(daysPlot(days, nameOf), "days")}</div>
<div class="wide"><table><caption>The same in figures</caption><thead><tr><th scope="col">board</th><th scope="col">day</th><th scope="col" class="n">near somebody</th><th scope="col" class="n">weighed</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

/** One event: words, plot, table. */
function eventPart(event: ExposureEvent, nameOf: (board: string | null) => string, zone: Zone): string {
  const { number, board, safe, senders } = event;
  const protection = [...new Set(event.minutes.flatMap((minute) => minute.protection))];
  const places = [...new Set(event.minutes.flatMap((minute) => minute.places))];
  const tags = [
    ...(safe ? [`<span class="tag safe">marked as safe, not counted</span>`] : []),
    ...protection.map((kind) => `<span class="tag protected">${PROTECTION[kind]}</span>`),
    ...places.map((place) => `<span class="tag place">${escaped(place)}</span>`),
  ];
  const best = nearest(event);
  const how = best === null ? "How near is not known." : `At the nearest ${best} dB.`;
  const severalKeys =
    senders.length > 1
      ? ` ${senders.length} keys were heard (${senders.join(", ")}): one person has a new one each day, so they may be one person's around midnight, or several persons'.`
      : "";
  const many = senders.length > 1;
  const rows = runs(event.minutes).map(({ from, to, minute }) => {
    const { attenuation, strongest } = minute;
    const cells = [
      `<td>${span(zone.local(from), zone.local(to))}</td>`,
      ...(many ? [`<td>${minute.senders.join(", ")}</td>`] : []),
      `<td class="how"><span class="dot" style="background:var(--${paintOf(attenuation)})"></span>${NEARNESS[nearness(attenuation)]}</td>`,
      `<td class="n">${attenuation ?? "–"}</td><td class="n">${strongest ?? "–"}</td>`,
      `<td>${minute.protection.map((kind) => PROTECTION[kind]).join(", ") || "–"}</td><td>${escaped(minute.places.join(", ")) || "–"}</td>`,
    ];
    return `<tr>${cells.join("")}</tr>`;
  });
  const head = ["time", ...(many ? ["key"] : []), "how near"].map((word) => `<th scope="col">${word}</th>`).join("");
  const local = zone.local(event.from);
  return `<article class="event" id="event-${number}"><h3>${number} · ${escaped(nameOf(board))}, ${dayName(local)}, ${span(local, zone.local(event.to))}</h3>
${tags.length > 0 ? `<p>${tags.join("")}</p>` : ""}<p>${minutesByNearness(event)}. ${how}${severalKeys}</p>
<div class="plot">${inlineSvg(eventPlot(event, zone), `event-${number}`)}</div>
<div class="wide"><table><caption>Minute by minute; minutes of which the same is told stand together</caption><thead><tr>${head}<th scope="col" class="n">typical, dB</th><th scope="col" class="n">strongest, dB</th><th scope="col">protected</th><th scope="col">place</th></tr></thead><tbody>${rows.join("")}</tbody></table></div></article>`;
}

function meaning(): string {
  return `<dl>
<dt>It means</dt><dd>A board heard packets that were made from keys which somebody has published after a diagnosis. The two devices were within radio reach of each other at these times.</dd>
<dt>It does not mean</dt><dd>that anybody was infected, or that you were face to face. Radio goes through windows and thin walls; a virus does not.</dd>
<dt>How exact it is</dt><dd>A board listens for some seconds every few minutes (small ticks below the bars), and each time stands for the minutes since the one before. So times are right to about five minutes. A board keeps one mean for each identifier, which lasts 10 to 20 minutes: shorter ups and downs are not in it. The dashed line is the strongest packets.</dd>
<dt>Protected, and places</dt><dd>are what the wearer has marked. They change no figure: you judge.</dd>
<dt>What to do</dt><dd>is for a health authority or a physician to say, not for this page.</dd>
</dl>`;
}

function foot({ setApart, protocol }: Report): string {
  const apart = setApart.length > 0 ? ` Did not count: ${setApart.map(escaped).join("; ")}.` : "";
  return `<p class="foot">Protocol ${escaped(protocol)}.${apart} This page tells when and where somebody was: it is its wearer's own. It holds no keys and no identifiers, and loads nothing from anywhere.</p>`;
}
