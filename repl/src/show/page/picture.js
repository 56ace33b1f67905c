// The picture of what is heard: the desk draws it, here it is brought to life.

const SVG = "http://www.w3.org/2000/svg";
const LIT = 2500;
const GONE = 900;
// How large its least letters are at least, in the browser's own points: where they would be smaller, not all of it is seen at once.
// For who sits far away they are so large when the picture is as large as it is drawn, which is nearly as small as it gets.
const LEGIBLE = 10.2;
const LEGIBLE_FAR = 0.85;
// By how much more it may be larger than that, to be as wide as its panel.
const WIDER = 1.3;
// How much of the panel's edge is kept clear of what is brought into sight.
const CLEAR = 24;
// How much of the picture's margin is left out, and how much room is left where it is cropped.
const MARGIN = 20;
const NEAR = 6;
// How thick the bars of levels are.
const THICK = 2.8;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** A level in dB, as a person reads it, of tenths. */
export const shown = (tenths) => (tenths <= -900 ? "–" : (tenths / 10).toFixed(1).replace("-", "−"));

export class Picture {
  constructor(panel, { choose, point, drawn }) {
    Object.assign(this, { panel, drawn, of: new Map(), bars: [], heads: [], peaks: new Map(), downs: new Map(), paths: [], chosen: null, edits: [], lights: [], next: null });
    panel.addEventListener("click", (event) => choose(this.path(event.target)));
    panel.addEventListener("mouseover", (event) => point(this.all(event.target)));
    panel.addEventListener("mouseleave", () => point([]));
    panel.addEventListener("focusin", (event) => point(this.all(event.target)));
    new ResizeObserver(() => this.fit()).observe(panel);
  }

  /** The thing that an element is a part of. */
  thing(element) {
    return element.closest?.("#flow [data-path], #flow [data-paths]");
  }

  /** All paths of a thing: of several that are folded, each. */
  all(element) {
    const thing = this.thing(element);
    if (!thing) return [];
    return thing.dataset.path ? [thing.dataset.path] : JSON.parse(thing.dataset.paths);
  }

  path(element) {
    return this.all(element)[0];
  }

  /** What is drawn as one with a path; nothing where it is drawn by itself. */
  held(path) {
    const thing = this.of.get(path)?.find((one) => one.dataset.paths);
    return thing ? this.all(thing) : [];
  }

  /** Shows another picture. What goes is seen to go first. */
  show(svg) {
    this.next = svg;
    if (!this.waits) this.swap();
  }

  swap() {
    // Its colours come with the page, whose policy takes no others.
    const svg = this.next.replace(/<style>[^<]*<\/style>/, "");
    const drawn = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
    this.next = null;
    if (drawn.nodeName !== "svg") return;
    const focused = this.path(document.activeElement);
    const { scrollLeft, scrollTop } = this.panel;
    this.of.clear();
    this.heads = [];
    this.bars = [];
    for (const card of drawn.querySelectorAll(".card")) crown(card);
    for (const thing of drawn.querySelectorAll("[data-path], [data-paths]")) {
      const button = button_of(thing);
      button.setAttribute("role", "button");
      button.setAttribute("tabindex", "-1");
      const label = thing.querySelector(":scope > title")?.textContent;
      if (label) button.setAttribute("aria-label", label);
      const paths = thing.dataset.path ? [thing.dataset.path, thing.dataset.full] : JSON.parse(thing.dataset.paths);
      for (const path of paths.filter(Boolean)) this.of.set(path, [...(this.of.get(path) ?? []), thing]);
    }
    drawn.setAttribute("role", "group");
    this.panel.replaceChildren(document.adoptNode(drawn));
    crop(drawn);
    this.fit();
    // Whoever has gone somewhere in it stays there.
    this.panel.scrollTo(scrollLeft, scrollTop);
    for (const thing of drawn.querySelectorAll(".card, .row, .cable")) this.prepare(thing);
    const first = this.of.get(focused)?.[0] ?? drawn.querySelector(".cards [data-path], .cards [data-paths]");
    const button = first && button_of(first);
    button?.setAttribute("tabindex", "0");
    if (focused) button?.focus({ preventScroll: true });
    this.order(this.paths);
    this.choose(this.chosen);
    // What was lit in the picture of before is lit in this one.
    const lights = this.lights.splice(0).filter(({ until }) => until > performance.now());
    for (const { name, paths, until } of lights) this.lit(name, paths, until);
    for (const { added } of this.edits.splice(0)) this.lit("lit-added", added);
    this.drawn(drawn.querySelector(".card[data-paths]") !== null);
  }

  /** As large as it fits, but legible; or all of it at once. */
  fit(whole = this.whole) {
    this.whole = whole;
    const drawn = this.panel.querySelector("svg");
    if (!drawn) return;
    const { width, height } = drawn.viewBox.baseVal;
    const [across, down] = [(this.panel.offsetWidth - 24) / width, (this.panel.clientHeight - 8) / height];
    const least = is_far() ? LEGIBLE_FAR : LEGIBLE / smallest(drawn);
    let scale = Math.min(across, down, is_far() ? 3 : 1.6);
    if (scale < least && !whole) scale = Math.max(least, Math.min(across, WIDER * least));
    drawn.style.width = `${Math.floor(width * scale)}px`;
    drawn.style.height = `${Math.floor(height * scale)}px`;
  }

  /** Room for the level of a thing. */
  prepare(thing) {
    const field = thing.querySelector(":scope > .field, :scope > .top > .head");
    // What is folded has many levels: its head shows the highest of its strips.
    const folded = thing.parentNode.closest("[data-paths]");
    if (!field || folded || thing.matches(".detail, .control")) return;
    // They lie below what is written, and not behind it.
    const { x, y, width, height } = field.getBBox();
    const bar = (className) => {
      const rect = document.createElementNS(SVG, "rect");
      for (const [name, value] of Object.entries({ class: className, x, y: y + height - THICK, width: 0, height: THICK, rx: 1 })) {
        rect.setAttribute(name, value);
      }
      field.after(rect);
      return rect;
    };
    thing.bar = { x, width, down: bar("down"), level: bar("level") };
    if (thing.classList.contains("card")) this.heads.push({ bar: thing.bar, paths: this.all(thing) });
  }

  /** The paths that levels come for, in their order. */
  order(paths) {
    // Of what is gone nothing is turned down, and what has no meter shows none.
    this.downs.clear();
    for (const thing of this.bars.flat()) {
      if (thing.bar) fill(thing.bar, -9999, false, 0);
      else thing.style.removeProperty("--loud");
    }
    this.paths = paths;
    this.bars = paths.map((path) => this.of.get(path)?.filter((thing) => !thing.classList.contains("card")) ?? []);
  }

  levels(levels) {
    this.bars.forEach((things, i) => {
      const [peak, , down] = levels.slice(3 * i, 3 * i + 3);
      this.downs.set(this.paths[i], down);
      for (const thing of things) {
        if (thing.bar) fill(thing.bar, peak, peak > 0, down);
        else thing.style.setProperty("--loud", Math.max(0, Math.min(1, (peak + 600) / 600)).toFixed(2));
      }
    });
  }

  strip(path, peak, clipped, down) {
    this.downs.set(path, down);
    this.peaks.set(path, { peak, clipped });
  }

  strips() {
    for (const { bar, paths } of this.heads) {
      const known = paths.map((path) => this.peaks.get(path)).filter(Boolean);
      if (known.length) fill(bar, Math.max(...known.map((one) => one.peak)), known.some((one) => one.clipped), 0);
    }
  }

  /** By how much something is turned down, in words. */
  down(path) {
    const down = this.downs.get(path);
    return down > 0 ? shown(down) : "–";
  }

  mark(name, paths) {
    for (const thing of this.panel.querySelectorAll(`.${name}`)) thing.classList.remove(name);
    for (const path of paths) for (const thing of this.of.get(path) ?? []) thing.classList.add(name);
  }

  point(paths) {
    this.mark("pointed", paths);
  }

  choose(path) {
    this.chosen = path;
    this.mark("chosen", path ? [path] : []);
  }

  /** Shows for a moment what an edit has done: what it takes away and changes in the picture of before, what is new in that which follows. */
  light(edit) {
    this.edits.push(edit);
    this.lit("lit-changed", edit.changed);
    if (!this.lit("lit-removed", edit.removed)) return;
    this.waits = true;
    setTimeout(() => {
      this.waits = false;
      if (this.next !== null) this.swap();
    }, GONE);
  }

  lit(name, paths, until = performance.now() + LIT) {
    if (name !== "lit-removed") this.lights.push({ name, paths, until });
    const things = paths.flatMap((path) => this.nearest(path).map((thing) => ({ thing, as: this.is_all(thing, path, paths) ? name : "lit-changed" })));
    for (const { thing, as } of things) {
      thing.classList.add(as);
      setTimeout(() => thing.classList.remove(as), until - performance.now());
    }
    // What has lost a part of itself is there in the next picture too.
    const parted = things.filter(({ as }) => as !== name).flatMap(({ thing }) => this.all(thing));
    if (name === "lit-removed" && parted.length) this.lights.push({ name: "lit-changed", paths: parted, until });
    if (things.length) this.bring(things[0].thing);
    return things.some(({ as }) => as === name);
  }

  /** What is drawn of a path; of what is not drawn by itself, the card that it is on. */
  nearest(path) {
    return this.of.get(path) ?? this.of.get(path.split(/[>/]/)[0]) ?? [];
  }

  /** Whether these paths are all that a thing stands for, and not a part of it. */
  is_all(thing, path, paths) {
    return thing.dataset.paths ? this.all(thing).every((one) => paths.includes(one)) : this.of.has(path);
  }

  /** Brings a thing into sight, within this panel alone: where it is in sight already, nothing moves. */
  bring(thing) {
    const [panel, at] = [this.panel.getBoundingClientRect(), thing.getBoundingClientRect()];
    const by = (from, to, least, most) => (from < least + CLEAR || to > most - CLEAR ? (from + to - least - most) / 2 : 0);
    this.panel.scrollBy(by(at.left, at.right, panel.left, panel.right), by(at.top, at.bottom, panel.top, panel.bottom));
  }

  /** Goes to what lies in a direction. */
  move(event) {
    const from = this.thing(event.target);
    const way = ARROWS[event.key];
    if (!from || !way) return false;
    const middle = (thing) => {
      const { x, y, width, height } = button_of(thing).getBoundingClientRect();
      return [x + width / 2, y + height / 2];
    };
    const [x, y] = middle(from);
    let nearest = null;
    for (const thing of this.panel.querySelectorAll("[data-path], [data-paths]")) {
      const [a, b] = middle(thing);
      const along = (a - x) * way[0] + (b - y) * way[1];
      const across = Math.abs((a - x) * way[1]) + Math.abs((b - y) * way[0]);
      const far = along + 2.5 * across;
      if (thing !== from && along > 1 && (!nearest || far < nearest.far)) nearest = { thing, far };
    }
    if (!nearest) return false;
    button_of(from).setAttribute("tabindex", "-1");
    const button = button_of(nearest.thing);
    button.setAttribute("tabindex", "0");
    button.focus({ preventScroll: true });
    this.bring(button);
    return true;
  }
}

/** Whether the page is for who sits far away. */
const is_far = () => document.documentElement.classList.contains("projector");

/** What of a thing is reached and pressed: of a card, which holds rows, its head. */
const button_of = (thing) => thing.querySelector(":scope > .top") ?? thing;

/** Puts the head of a card into a group of its own, beside its rows. */
function crown(card) {
  const top = document.createElementNS(SVG, "g");
  top.setAttribute("class", "top");
  const own = card.querySelectorAll(":scope > .head, :scope > text");
  card.querySelector(":scope > .body").after(top);
  top.append(...own);
  card.setAttribute("role", "group");
  const name = top.querySelector("text")?.textContent;
  if (name) card.setAttribute("aria-label", name);
}

/** The size of the least letters of a picture. */
const smallest = (drawn) => Math.min(...[...drawn.querySelectorAll("text")].map((text) => parseFloat(text.getAttribute("font-size"))));

/** Leaves out the margin, which the panel has; for who sits far away what stands above and below cards and cables as well. */
function crop(drawn) {
  const { width, height } = drawn.viewBox.baseVal;
  let [left, top, right, bottom] = [MARGIN, MARGIN, width - MARGIN, height - MARGIN];
  if (is_far()) {
    const parts = [...drawn.querySelectorAll(".cables, .cards")].map((part) => part.getBBox()).filter((box) => box.width > 0);
    const most = (of) => Math.max(...parts.map(of)) + NEAR;
    [left, top, right, bottom] = [-most((box) => -box.x), -most((box) => -box.y), most((box) => box.x + box.width), most((box) => box.y + box.height)];
  }
  if (right > left && bottom > top) drawn.setAttribute("viewBox", `${left} ${top} ${right - left} ${bottom - top}`);
}

/** Draws a level into the room for it: 60 dB are all of it. */
function fill({ x, width, level, down: turned }, peak, over, down) {
  const part = Math.max(0, Math.min(1, (peak + 600) / 600));
  const long = Math.round(part * width);
  if (level.long !== long) {
    level.long = long;
    level.setAttribute("width", long);
  }
  const kind = over ? "level over" : peak > -90 ? "level high" : "level";
  if (level.getAttribute("class") !== kind) level.setAttribute("class", kind);
  // What is turned down comes in from the right: 24 dB are all of it.
  const back = Math.round(Math.min(1, Math.max(0, down) / 240) * width);
  if (turned.long !== back) {
    turned.long = back;
    turned.setAttribute("width", back);
    turned.setAttribute("x", x + width - back);
  }
}
