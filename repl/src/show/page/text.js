// The text: its lines, what they declare, and what is to be told of them.

const WORDS = /(\/\/.*$)|("(?:[^"\\]|\\.)*")|(\b\d[\d_]*(?:\.\d+)?\b)|(>>)/g;
const CLASSES = ["comment", "string", "number", "operator"];

export class Text {
  /** In a panel that scrolls: the lines of the file, and those that were typed. */
  constructor(panel, parts, { choose, point }) {
    Object.assign(this, { panel, parts, chosen: null, lights: [] });
    for (const part of parts) this.clear(part);
    // What is told of an error takes room, here and elsewhere.
    new ResizeObserver(() => this.bring(this.wrong())).observe(panel);
    panel.addEventListener("click", (event) => choose(this.path(event.target)));
    panel.addEventListener("mouseover", (event) => point(this.all(event.target)));
    panel.addEventListener("mouseleave", () => point([]));
    panel.addEventListener("focusin", (event) => point(this.all(event.target)));
  }

  clear(part) {
    Object.assign(part, { spots: new Map(), paths: new Map(), lines: new Map() });
  }

  /** What a part has of a name in one of its maps. */
  find(map, name) {
    return this.parts.map((part) => part[map].get(name)).find((found) => found !== undefined);
  }

  all(element) {
    return this.find("paths", element.closest?.(".line-of-text")?.dataset.at) ?? [];
  }

  /** What a line is about first of all: the cable or the strip rather than what is on it. */
  path(element) {
    const all = this.all(element);
    return all.find((path) => !/[>/]/.test(path)) ?? all[0];
  }

  /** Shows the file, or what was typed. */
  show(all, part) {
    const focused = part.contains(document.activeElement) ? document.activeElement.dataset.at : null;
    const scrolled = this.panel.scrollTop;
    this.clear(part);
    for (const [path, file, line] of all.spots ?? []) {
      const at = `${file}:${line}`;
      part.spots.set(path, at);
      part.paths.set(at, [...(part.paths.get(at) ?? []), path]);
    }
    const told = new Map();
    for (const one of all.diagnostics ?? []) {
      const at = `${one.file}:${Math.max(1, one.line)}`;
      told.set(at, [...(told.get(at) ?? []), one]);
    }
    const rows = [];
    const is_typed = part === this.parts[1];
    (all.files ?? []).forEach((file, i) => {
      if (is_typed ? i === 0 : i > 0) rows.push(head(is_typed ? "// typed" : file.name));
      file.lines.forEach((line, j) => {
        const at = `${file.at}:${j + 1}`;
        rows.push(this.row(part, at, is_typed ? "" : j + 1, line, told.get(at) ?? []));
      });
    });
    part.replaceChildren(...rows);
    this.panel.scrollTop = scrolled;
    this.bring(this.wrong());
    const row = part.lines.get(focused);
    row?.focus({ preventScroll: true });
    // One line is reached by Tab, the rest from there.
    const reached = row ?? this.panel.querySelector('[tabindex="0"]') ?? this.panel.querySelector(".line-of-text");
    if (reached) reached.tabIndex = 0;
    this.choose(this.chosen);
    this.relight(this.lights);
  }

  /** The first line that is wrong. */
  wrong() {
    return this.panel.querySelector(".wrong");
  }

  row(part, at, number, line, told) {
    const row = document.createElement("div");
    row.className = `line-of-text${part.paths.has(at) ? " declares" : ""}`;
    row.dataset.at = at;
    row.setAttribute("role", "option");
    row.setAttribute("aria-selected", "false");
    row.tabIndex = -1;
    const count = document.createElement("b");
    count.textContent = number;
    const words = document.createElement("span");
    words.append(...pieces(line, told));
    row.append(count, words, ...told.map(said));
    if (told.some((one) => one.severity === "error")) row.classList.add("wrong");
    part.lines.set(at, row);
    return row;
  }

  /** Goes to another line. */
  move(event) {
    const from = event.target.closest?.(".line-of-text");
    if (!from) return false;
    const all = [...this.panel.querySelectorAll(".line-of-text")];
    const at = all.indexOf(from);
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || !all[to]) return false;
    from.tabIndex = -1;
    all[to].tabIndex = 0;
    all[to].focus({ preventScroll: true });
    this.bring(all[to]);
    return true;
  }

  /** The line that declares something. */
  line(path) {
    return this.rows([path])[0]?.children[1].textContent.trim() ?? "";
  }

  rows(paths) {
    return paths.map((path) => this.find("lines", this.find("spots", path))).filter(Boolean);
  }

  mark(name, paths) {
    for (const row of this.panel.querySelectorAll(`.${name}`)) row.classList.remove(name);
    const rows = this.rows(paths);
    for (const row of rows) row.classList.add(name);
    return rows;
  }

  point(paths) {
    const rows = this.mark("pointed", paths);
    if (!this.panel.matches(":hover")) this.bring(rows[0]);
  }

  choose(path) {
    this.chosen = path;
    for (const row of this.panel.querySelectorAll(".chosen")) row.setAttribute("aria-selected", "false");
    for (const row of this.mark("chosen", path ? [path] : [])) row.setAttribute("aria-selected", "true");
  }

  /** Brings a line into sight, within this panel alone. */
  bring(row) {
    if (!row) return;
    const { top, bottom } = this.panel.getBoundingClientRect();
    const at = row.getBoundingClientRect();
    if (at.top < top) this.panel.scrollTop -= top - at.top + 8;
    else if (at.bottom > bottom) this.panel.scrollTop += at.bottom - bottom + 8;
  }

  /** Brings into sight what an edit has touched, what is new before what is other; what is wrong stays in sight. */
  light({ added, ramped, anew }) {
    if (!this.wrong()) this.bring(this.rows([...added, ...ramped.map(([path]) => path), ...anew])[0]);
  }

  /** Lights what is to be lit, and nothing else. */
  relight(lights) {
    this.lights = lights;
    for (const name of ["lit-anew", "lit-ramped", "lit-added"]) {
      this.mark(name, lights.filter((light) => light.name === name).map(({ path }) => path));
    }
  }
}

function head(name) {
  const head = document.createElement("h3");
  head.textContent = name;
  head.setAttribute("role", "presentation");
  return head;
}

/** A line in pieces: its words by what they are, and what is told of marked from end to end. */
function pieces(line, told) {
  // Columns count letters, of which some are two to the browser.
  const letters = [...line];
  const unit = (column) => letters.slice(0, column).join("").length;
  const marks = told.filter((one) => one.line > 0).map((one) => [unit(one.column - 1), unit(one.column - 1 + one.width), one.severity]);
  const cuts = new Set([0, line.length]);
  const words = [];
  for (const match of line.matchAll(WORDS)) {
    const end = match.index + match[0].length;
    words.push([match.index, end, CLASSES[match.slice(1).findIndex((group) => group !== undefined)]]);
  }
  for (const [from, to] of [...words, ...marks]) cuts.add(from).add(to);
  const places = [...cuts].sort((a, b) => a - b);
  const all = places.slice(0, -1).map((from, i) => {
    const within = ([begin, end]) => begin <= from && from < end;
    const piece = document.createElement("span");
    const mark = marks.find(within);
    piece.className = [words.find(within)?.[2], mark && `marked ${mark[2]}`].filter(Boolean).join(" ");
    piece.textContent = line.slice(from, places[i + 1]);
    return piece;
  });
  return all.length ? all : ["\u200b"];
}

/** What is told of a line, below it. */
function said(one) {
  const element = document.createElement("div");
  element.className = `diagnostic ${one.severity}`;
  const message = document.createElement("span");
  message.textContent = `${place(one)}${one.severity}: ${one.message}`;
  element.append(message);
  if (one.help) {
    const help = document.createElement("span");
    help.className = "help";
    help.textContent = one.help;
    element.append(help);
  }
  return element;
}

/** Where something is that is told of. */
export const place = (one) => (one.line > 0 ? `line ${one.line}, column ${one.column}: ` : "");
