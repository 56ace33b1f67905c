// The picture of what is heard: the desk draws it, here it is brought to life.

const SVG = "http://www.w3.org/2000/svg";
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
const MARGIN = 17;
const NEAR = 6;
// How thick the bars of levels are.
const THICK = 2.8;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** A level in dB, as a person reads it, of tenths. */
export const shown = (tenths) => (tenths <= -900 ? "–" : (tenths / 10).toFixed(1).replace("-", "−"));

export class Picture {
  constructor(panel, { choose, point, drawn }) {
    Object.assign(this, { panel, drawn, of: new Map(), bars: [], heads: [], peaks: new Map(), downs: new Map(), paths: [], chosen: null, lights: [], coming: null, next: null, scale: null, fresh: false, window: "" });
    panel.addEventListener("click", (event) => choose(this.path(event.target)));
    panel.addEventListener("mouseover", (event) => point(this.all(event.target)));
    panel.addEventListener("mouseleave", () => point([]));
    panel.addEventListener("focusin", (event) => point(this.all(event.target)));
    new ResizeObserver(() => this.resized()).observe(panel);
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
    const [stays, at] = [this.anchor(drawn, focused), this.offset()];
    if (this.fresh) this.scale = null;
    const is_first = this.scale === null;
    this.fresh = false;
    this.of.clear();
    this.heads = [];
    this.bars = [];
    for (const card of drawn.querySelectorAll(".card")) crown(card);
    for (const thing of drawn.querySelectorAll("[data-path], [data-paths]")) {
      const button = button_of(thing);
      button.setAttribute("role", "button");
      button.setAttribute("tabindex", "-1");
      button.setAttribute("aria-label", spoken(thing));
      const paths = thing.dataset.path ? [thing.dataset.path, thing.dataset.full] : JSON.parse(thing.dataset.paths);
      for (const path of paths.filter(Boolean)) this.of.set(path, [...(this.of.get(path) ?? []), thing]);
    }
    drawn.setAttribute("role", "group");
    drawn.setAttribute("aria-labelledby", "flow-title");
    this.panel.replaceChildren(document.adoptNode(drawn));
    in_order(drawn);
    crop(drawn);
    this.fit(true);
    if (!is_first) this.settle(...at);
    if (!is_first && stays) this.hold(stays);
    for (const thing of drawn.querySelectorAll(".card, .row, .cable")) this.prepare(thing);
    const first = this.of.get(focused)?.[0] ?? drawn.querySelector(".cards [data-path], .cards [data-paths]");
    const button = first && button_of(first);
    button?.setAttribute("tabindex", "0");
    if (focused) button?.focus({ preventScroll: true });
    this.order(this.paths);
    this.choose(this.chosen);
    // What is lit is lit in this one too; what is new is seen only now.
    const coming = this.coming ?? [];
    this.coming = null;
    this.relight(this.lights);
    this.go(coming);
    this.drawn(drawn.querySelector(".card[data-paths]") !== null);
  }

  /** Something that stays in another picture, and where it is: what is focused or looked at, if it is in sight, or what is nearest to the middle. */
  anchor(next, focused) {
    const stays = new Set([...next.querySelectorAll("[data-path]")].map((thing) => thing.dataset.path));
    const panel = this.panel.getBoundingClientRect();
    const [x, y] = [panel.left + panel.width / 2, panel.top + panel.height / 2];
    let best = null;
    for (const thing of this.panel.querySelectorAll(".cards [data-path]")) {
      const path = thing.dataset.path;
      const at = button_of(thing).getBoundingClientRect();
      if (!stays.has(path) || at.right < panel.left || at.left > panel.right || at.bottom < panel.top || at.top > panel.bottom) continue;
      const far = path === focused ? -2 : path === this.chosen ? -1 : Math.hypot((at.left + at.right) / 2 - x, (at.top + at.bottom) / 2 - y);
      if (!best || far < best.far) best = { path, far, left: at.left, top: at.top };
    }
    return best;
  }

  /** Has something that stays be where it was. */
  hold({ path, left, top }) {
    const thing = this.of.get(path)?.find((one) => !one.matches(".cable"));
    if (!thing) return;
    const at = button_of(thing).getBoundingClientRect();
    const [x, y] = this.offset();
    this.settle(x + left - at.left, y + top - at.top);
  }

  /** Where the picture begins, from the panel's corner. */
  offset() {
    const [panel, at] = [this.panel, this.panel.querySelector("svg") ?? this.panel].map((one) => one.getBoundingClientRect());
    return [at.left - panel.left - this.panel.clientLeft, at.top - panel.top - this.panel.clientTop];
  }

  /** Has the picture begin there, as far as it goes: where it is smaller than its panel it lies within, where it is larger it is scrolled. */
  settle(x, y) {
    const drawn = this.panel.querySelector("svg");
    const within = (free, at) => Math.max(0, Math.min(Math.max(0, free), at));
    drawn.style.marginLeft = `${within(this.panel.clientWidth - drawn.clientWidth, x)}px`;
    drawn.style.marginTop = `${within(this.panel.clientHeight - drawn.clientHeight, y)}px`;
    this.panel.scrollTo(Math.max(0, -x), Math.max(0, -y));
  }

  /** The panel is larger or smaller. Where the window is as before, something else takes or gives room, and what is seen stays. */
  resized() {
    if (!this.panel.querySelector("svg")) return;
    const before = this.window;
    this.window = `${innerWidth} ${innerHeight}`;
    if (before !== this.window) return this.fit();
    const at = this.offset();
    this.fit(true);
    this.settle(...at);
  }

  /** Another picture will come that is looked at in another way: it is as large as it fits. */
  anew() {
    this.fresh = true;
  }

  /** All of it at once, or legible. */
  turn() {
    this.whole = !this.whole;
    this.fit();
  }

  /** As large as it fits, but legible; or all of it at once. One that is to stay as large as it was does so if it can. */
  fit(stays = false) {
    const drawn = this.panel.querySelector("svg");
    if (!drawn) return;
    const { width, height } = drawn.viewBox.baseVal;
    const [wide, high] = [this.panel.offsetWidth - 18, this.panel.offsetHeight - 4];
    const [across, down] = [wide / width, high / height];
    const least = is_far() ? LEGIBLE_FAR : LEGIBLE / smallest(drawn);
    let scale = Math.min(across, down, is_far() ? 3 : 1.6);
    const fits = scale >= least || this.whole;
    if (!fits) scale = Math.max(least, Math.min(across, WIDER * least));
    const [before, at] = [this.scale, this.offset()];
    if (stays && before && !this.whole && before >= least && (before <= scale || (!fits && before <= WIDER * least))) scale = before;
    this.scale = scale;
    drawn.style.width = `${Math.floor(width * scale)}px`;
    drawn.style.height = `${Math.floor(height * scale)}px`;
    if (stays && before) return;
    // In the middle where it is smaller than its panel, or else where it was, at first where it begins.
    const begin = (free, was) => (free >= 0 ? free / 2 : before ? (was * scale) / before : 0);
    this.settle(begin(this.panel.clientWidth - drawn.clientWidth, at[0]), begin(this.panel.clientHeight - drawn.clientHeight, at[1]));
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

  /** Shows what an edit takes away, in the picture of before, and brings what it touches into sight; what is new is in the next picture. */
  light({ added, ramped, anew, removed }) {
    this.coming = added;
    const parted = [];
    let goes = false;
    for (const path of removed) {
      for (const thing of this.nearest(path)) {
        if (this.is_all(thing, path, removed)) {
          thing.classList.add("lit-removed");
          goes = true;
        } else {
          parted.push(...this.all(thing));
        }
      }
    }
    const touched = [removed, ramped.map(([path]) => path), added, anew].find((paths) => paths.length);
    if (touched && touched !== added) this.go(touched);
    if (!goes) return parted;
    this.waits = true;
    setTimeout(() => {
      this.waits = false;
      if (this.next !== null) this.swap();
    }, GONE);
    return parted;
  }

  /** Goes to the first of some paths that is drawn. */
  go(paths) {
    const thing = paths.flatMap((path) => this.nearest(path))[0];
    if (thing) this.bring(thing);
  }

  /** Lights what is to be lit, and nothing else. What has come or gone with a part alone is another thing. */
  relight(lights) {
    this.lights = lights;
    const names = ["lit-added", "lit-ramped", "lit-anew"];
    for (const thing of this.panel.querySelectorAll(names.map((name) => `.${name}`).join())) thing.classList.remove(...names);
    for (const name of names) {
      const paths = lights.filter((light) => light.name === name).map(({ path }) => path);
      if (name === "lit-added" && this.coming) continue;
      for (const path of paths) {
        for (const thing of this.nearest(path)) thing.classList.add(name === "lit-ramped" || this.is_all(thing, path, paths) ? name : "lit-anew");
      }
    }
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

/** What is said of a thing to who does not see it: what is written in it, behind its path; of a cable or a head, what it is. */
function spoken(thing) {
  const title = thing.querySelector(":scope > title");
  if (!thing.matches(".row") || thing.matches(".send, .feedback")) return title?.textContent ?? "";
  // What lies within an effect is not all of it.
  if (thing.matches(".detail")) title?.remove();
  const [word, ...figures] = [...thing.querySelectorAll(":scope > text")].map((text) => text.textContent.replaceAll("\u2002", " "));
  const path = thing.dataset.path ?? "";
  return `${path}: ${[path.endsWith(`/${word}`) || path.endsWith(`.${word}`) ? "" : word, ...figures].filter(Boolean).join(", ")}`.replace(/: $/, "");
}

/** Has who does not see the picture meet it as it is drawn, from left to right: cards, and then the cables between them. */
function in_order(drawn) {
  const [cards, cables] = [drawn.querySelector(".cards"), drawn.querySelector(".cables")];
  if (!cards || !cables) return;
  const places = new Map([...cards.querySelectorAll(":scope > .card")].map((card) => [card, card.querySelector(":scope > .body").getBBox()]));
  cards.append(...[...places.keys()].sort((one, other) => places.get(one).x - places.get(other).x || places.get(one).y - places.get(other).y));
  [cards.id, cables.id] = ["flow-cards", "flow-cables"];
  drawn.setAttribute("aria-owns", "flow-cards flow-cables");
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
