/** What the report page shows. Times are Unix seconds. */
export interface ReportData {
  title: string;
  from: number;
  to: number;
  boards: ReportBoard[];
  exposures: ReportExposure[];
  /** What really happened, where that is known: what, who, how long, how far. */
  truth: string[];
  /** Facts of the run, in the order they are shown: what, value. */
  facts: [string, string][];
}

export interface ReportBoard {
  id: string;
  name: string;
  note: string;
  encounters: { firstSeen: number; lastSeen: number; maxRssi: number; matched: boolean }[];
}

export interface ReportExposure {
  board: string;
  firstSeen: number;
  lastSeen: number;
  /** dB. */
  attenuation: number;
}

/** One stretch in which one board was near published keys: identifiers change every 10 to 20 minutes, so a meeting is several exposures. */
export interface Meeting {
  board: string;
  firstSeen: number;
  lastSeen: number;
  /** At the strongest signal, dB. */
  attenuation: number;
  exposures: number;
}

/** Exposures of one board with at most `gapSeconds` between them become one meeting. */
export function meetings(exposures: readonly ReportExposure[], gapSeconds: number): Meeting[] {
  const found: Meeting[] = [];
  const open = new Map<string, Meeting>();
  for (const exposure of [...exposures].sort((a, b) => a.firstSeen - b.firstSeen)) {
    const last = open.get(exposure.board);
    if (last && exposure.firstSeen - last.lastSeen <= gapSeconds) {
      last.lastSeen = Math.max(last.lastSeen, exposure.lastSeen);
      last.attenuation = Math.min(last.attenuation, exposure.attenuation);
      last.exposures++;
    } else {
      const { board, firstSeen, lastSeen, attenuation } = exposure;
      const meeting = { board, firstSeen, lastSeen, attenuation, exposures: 1 };
      open.set(board, meeting);
      found.push(meeting);
    }
  }
  return found;
}

/** `2026-03-02 09:00` UTC. */
export function formatMinute(unix: number): string {
  return new Date(unix * 1000).toISOString().slice(0, 16).replace("T", " ");
}

/** `09:00` UTC. */
export function formatTime(unix: number): string {
  return new Date(unix * 1000).toISOString().slice(11, 16);
}

export function formatDuration(seconds: number): string {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; color: #1c2733; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin-top: 2rem; } .lead { color: #55616e; margin-top: .2rem; }
table { border-collapse: collapse; width: 100%; } th { text-align: left; color: #55616e; font-weight: 600; } td, th { padding: .35rem .7rem .35rem 0; border-bottom: 1px solid #e3e7eb; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; } svg { width: 100%; height: auto; } 
svg text { font: 13px system-ui, sans-serif; fill: #1c2733; } svg .axis { fill: #55616e; font-size: 11px; } .foot { color: #55616e; font-size: .85rem; margin-top: 2rem; }
`;

/** One self-contained HTML page: no script, nothing from elsewhere. */
export function reportPage(data: ReportData): string {
  const names = new Map(data.boards.map((board) => [board.id, board.name]));
  const rows = meetings(data.exposures, 900).map(
    (meeting) => `<tr><td>${escapeHtml(names.get(meeting.board) ?? meeting.board)}</td><td>${formatMinute(meeting.firstSeen)}</td>
<td>${formatMinute(meeting.lastSeen)}</td><td class="n">${formatDuration(meeting.lastSeen - meeting.firstSeen)}</td><td class="n">${meeting.attenuation} dB</td>
<td class="n">${meeting.exposures}</td></tr>`,
  );
  const facts = data.facts.map(([what, value]) => `<tr><td>${escapeHtml(what)}</td><td>${escapeHtml(value)}</td></tr>`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(data.title)}</title><style>${STYLE}</style></head><body>
<h1>${escapeHtml(data.title)}</h1>
<p class="lead">${formatMinute(data.from)} to ${formatMinute(data.to)} UTC</p>
<h2>Exposures</h2>
${rows.length ? `<table><thead><tr><th>who</th><th>from</th><th>to</th><th class="n">for</th><th class="n">attenuation</th><th class="n">identifiers</th></tr></thead><tbody>${rows.join("")}</tbody></table>` : "<p>None.</p>"}
<h2>The day</h2>
${timeline(data)}
<p>Each bar is an encounter: how long one identifier was heard. The red ones, above, were made from a published key. The darker, the stronger the signal.</p>
${data.truth.length ? `<h2>What really happened</h2>\n<ul>${data.truth.map((line) => `<li>${escapeHtml(line)}</li>`).join("")}</ul>` : ""}
<h2>How it came about</h2>
<table><tbody>${facts.join("")}</tbody></table>
<p class="foot">Attenuation is transmit power minus received signal strength: it grows with distance, and with every body, pocket and wall in between. It is no ruler.</p>
</body></html>
`;
}

function timeline(data: ReportData): string {
  const left = 130;
  const width = 1000;
  const lane = 46;
  const height = data.boards.length * lane + 34;
  const x = (unix: number) => left + ((unix - data.from) / (data.to - data.from)) * (width - left - 10);
  const parts: string[] = [];
  for (let hour = Math.ceil(data.from / 7200) * 7200; hour <= data.to; hour += 7200) {
    const at = x(hour).toFixed(1);
    parts.push(`<line x1="${at}" y1="0" x2="${at}" y2="${height - 24}" stroke="#e3e7eb"/>`);
    parts.push(`<text class="axis" x="${at}" y="${height - 8}" text-anchor="middle">${formatTime(hour)}</text>`);
  }
  data.boards.forEach((board, i) => {
    const top = i * lane + 8;
    parts.push(
      `<text x="0" y="${top + 14}">${escapeHtml(board.name)}</text><text class="axis" x="0" y="${top + 28}">${escapeHtml(board.note)}</text>`,
    );
    for (const encounter of board.encounters) {
      const wide = Math.max(2, x(encounter.lastSeen) - x(encounter.firstSeen));
      const strength = Math.min(1, Math.max(0.25, (encounter.maxRssi + 100) / 50));
      parts.push(
        `<rect x="${x(encounter.firstSeen).toFixed(1)}" y="${encounter.matched ? top : top + 14}" width="${wide.toFixed(1)}" height="12" rx="2" fill="${encounter.matched ? "#b3261e" : "#2f6f9f"}" fill-opacity="${strength.toFixed(2)}"><title>${formatTime(encounter.firstSeen)} to ${formatTime(encounter.lastSeen)}, ${encounter.maxRssi} dBm at best</title></rect>`,
      );
    }
  });
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="Encounters of each board over the day">${parts.join("")}</svg>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
