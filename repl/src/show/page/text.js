// The text: its lines, what they declare, and what is to be told of them.

const LIT = 2500;
const WORDS = /(\/\/.*$)|("(?:[^"\\]|\\.)*")|(\b\d[\d_]*(?:\.\d+)?\b)|(>>)/g;
const CLASSES = ["comment", "string", "number", "operator"];

export class Text {
  constructor(panel, { choose, point }) {
    Object.assign(this, { panel, spots: new Map(), paths: new Map(), lines: new Map(), chosen: null });
    panel.addEventListener("click", (event) => choose(this.path(event.target)));
    panel.addEventListener("mouseover", (event) => point(this.all(event.target)));
    panel.addEventListener("mouseleave", () => point([]));
  }

  all(element) {
    return this.paths.get(element.closest?.(".line-of-text")?.dataset.at) ?? [];
  }

  /** What a line is about first of all: the cable or the strip rather than what is on it. */
  path(element) {
    const all = this.all(element);
    return all.find((path) => !/[>/]/.test(path)) ?? all[0];
  }

  show(all) {
    this.spots.clear();
    this.paths.clear();
    this.lines.clear();
    for (const [path, file, line] of all.spots ?? []) {
      const at = `${file}:${line}`;
      this.spots.set(path, at);
      this.paths.set(at, [...(this.paths.get(at) ?? []), path]);
    }
    const scrolled = this.panel.scrollTop;
    const parts = [];
    let typed = false;
    (all.files ?? []).forEach((file, i) => {
      if ((i > 0 && !file.typed) || (file.typed && !typed)) {
        const head = document.createElement("h3");
        head.textContent = file.typed ? "// typed" : file.name;
        parts.push(head);
      }
      typed ||= file.typed;
      file.lines.forEach((line, j) => parts.push(this.row(`${i}:${j + 1}`, file.typed ? "" : j + 1, line)));
    });
    const first = [...this.lines.values()][0];
    for (const one of all.diagnostics ?? []) {
      const row = this.lines.get(`${one.file}:${one.line}`) ?? first;
      row?.append(told(one));
      row?.classList.add("told");
      if (one.severity === "error") row?.classList.add("wrong");
    }
    this.panel.replaceChildren(...parts);
    this.panel.scrollTop = scrolled;
    this.panel.querySelector(".wrong")?.scrollIntoView({ block: "nearest" });
  }

  row(at, number, line) {
    const row = document.createElement("div");
    row.className = `line-of-text${this.paths.has(at) ? " declares" : ""}`;
    row.dataset.at = at;
    const count = document.createElement("b");
    count.textContent = number;
    const words = document.createElement("span");
    let from = 0;
    for (const match of line.matchAll(WORDS)) {
      words.append(line.slice(from, match.index));
      const word = document.createElement("span");
      word.className = CLASSES[match.slice(1).findIndex((group) => group !== undefined)];
      word.textContent = match[0];
      words.append(word);
      from = match.index + match[0].length;
    }
    words.append(line.slice(from) || (line ? "" : "\u200b"));
    row.append(count, words);
    this.lines.set(at, row);
    return row;
  }

  /** The line that declares something. */
  line(path) {
    return this.lines.get(this.spots.get(path))?.children[1].textContent.trim() ?? "";
  }

  rows(paths) {
    return paths.map((path) => this.lines.get(this.spots.get(path))).filter(Boolean);
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
    this.mark("chosen", path ? [path] : []);
  }

  /** Brings a line into sight, within this panel alone. */
  bring(row) {
    if (!row) return;
    const { top, bottom } = this.panel.getBoundingClientRect();
    const at = row.getBoundingClientRect();
    if (at.top < top) this.panel.scrollTop -= top - at.top + 8;
    else if (at.bottom > bottom) this.panel.scrollTop += at.bottom - bottom + 8;
  }

  light({ added, changed }) {
    for (const [name, paths] of [["lit-added", added], ["lit-changed", changed]]) {
      const rows = this.rows(paths);
      this.bring(rows[0]);
      for (const row of rows) {
        row.classList.add(name);
        setTimeout(() => row.classList.remove(name), LIT);
      }
    }
  }
}

/** What is told of a line, below it. */
function told(one) {
  const element = document.createElement("div");
  element.className = `diagnostic ${one.severity}`;
  const caret = document.createElement("span");
  caret.className = "caret";
  caret.textContent = `${" ".repeat(Math.max(0, one.column - 1))}^`;
  const message = document.createElement("span");
  message.textContent = `${one.severity}: ${one.message}`;
  element.append(caret, message);
  if (one.help) {
    const help = document.createElement("span");
    help.className = "help";
    help.textContent = one.help;
    element.append(help);
  }
  return element;
}
