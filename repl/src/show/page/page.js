// The page: what comes from the desk goes to the part that shows it, and the keys.

import { Lights } from "./lights.js";
import { Picture, shown } from "./picture.js";
import { Round } from "./round.js";
import { Scopes } from "./scopes.js";
import { Text, place } from "./text.js";

const MASTER = "master";
const SILENT = -9000;
const PATIENCE = [500, 1000, 2000, 3000];
const by = (id) => document.getElementById(id);

const put = (id, text) => {
  const element = by(id);
  if (element.textContent !== text) element.textContent = text;
};

// What is known, and what is looked at.
const known = { desk: null, strips: [], paths: [], target: null, beats: 4, edit: null, told: 0, tries: 0, answers: true, crowded: 0, gone: false };
let look = MASTER;
let unfolded = false;
let stream = null;
let alive = 0;
let waits = 0;

const picture = new Picture(by("flow"), { choose, point, drawn });
const round = new Round(by("flow"));
const text = new Text(by("text"), [by("file"), by("typed")], { choose, point });
const scopes = new Scopes();
const lights = new Lights((lit) => {
  picture.relight(lit);
  text.relight(lit);
  shine(lit);
});

/** Looks closely at something else. */
function choose(path) {
  if (!path || path === look) return;
  look = path;
  known.gone = false;
  scopes.restart();
  mark();
  connect();
}

/** What is pointed at is pointed at everywhere. */
function point(paths) {
  picture.point(paths);
  text.point(paths);
  for (const strip of document.querySelectorAll(".strip")) strip.classList.toggle("pointed", paths.includes(strip.dataset.of));
}

function mark() {
  picture.choose(look);
  text.choose(look);
  put("looked", known.gone ? `${look} – gone` : look);
  put("declared", known.gone ? "It is not heard now. Esc looks at the master." : text.line(look));
  const held = picture.held(look);
  put("held", held.length ? `drawn as one with ${held.length - 1} more: ${held.join(", ")}` : "");
  by("held").hidden = !held.length;
  for (const strip of document.querySelectorAll(".strip")) {
    const chosen = strip.dataset.of === look;
    strip.setAttribute("aria-selected", String(chosen));
  }
}

// The connection: when it is cut, it is looked for again until it is there.

function connect() {
  if (stream) stream.close();
  alive = performance.now();
  const own = (stream = new EventSource(`events?look=${encodeURIComponent(look)}${is_far() ? "&far" : ""}${unfolded ? "&unfolded" : ""}`));
  for (const [name, take] of Object.entries(takes)) {
    own.addEventListener(name, (event) => {
      if (own !== stream) return;
      alive = performance.now();
      take(JSON.parse(event.data));
    });
  }
  own.onerror = () => own === stream && lost();
}

function lost() {
  stream.close();
  stream = null;
  document.body.classList.add("lost");
  by("state").className = "lost";
  // Where the page itself is still given, there is no room for one more who looks.
  put("state", known.answers ? "too many look already: waiting for room" : "the desk has gone: looking for it");
  known.answers = false;
  again();
}

/** Asks for something small until it is given, and only then for what happens. */
function again() {
  const wait = PATIENCE[Math.min(known.tries++, PATIENCE.length - 1)];
  clearTimeout(waits);
  waits = setTimeout(async () => {
    if (stream) return;
    known.answers = await found();
    if (stream) return;
    if (known.answers) connect();
    else again();
  }, wait);
}

// Who asks while the desk is away: one beside the page, where the browser has such.
const finder = window.SharedWorker && new SharedWorker(new URL("finder.js", location)).port;

/** Whether the desk answers. */
function found() {
  const ask = () => fetch("icon.svg", { signal: AbortSignal.timeout(5000) }).then((answer) => answer.ok, () => false);
  if (!finder) return ask();
  return new Promise((tell) => {
    // One that says nothing is not there.
    const silent = setTimeout(() => tell(ask()), 7000);
    finder.onmessage = ({ data }) => {
      clearTimeout(silent);
      tell(data);
    };
    finder.postMessage(null);
  });
}

function live() {
  if (by("state").className === "live") return;
  document.body.classList.remove("lost");
  by("state").className = "live";
  put("state", "live");
  Object.assign(known, { tries: 0, answers: false });
}

// A connection may be cut without a word.
setInterval(() => stream && alive && performance.now() - alive > 5000 && lost(), 1000);

const takes = {
  desk(desk) {
    if (known.desk && known.desk !== desk.desk) {
      log("the desk was started again");
      Object.assign(known, { edit: null, told: 0, since: undefined });
      scopes.forget();
    }
    Object.assign(known, { desk: desk.desk, strips: desk.strips, paths: desk.paths, target: desk.target, beats: desk.beats });
    scopes.rate = desk.rate;
    scopes.target = desk.target;
    put("target", desk.target ? `for ${desk.target.name}` : "");
    put("absent", (desk.absent ?? []).join("; "));
    by("absent").hidden = !desk.absent?.length;
    strips();
    picture.order(desk.paths);
    beats();
    mark();
  },
  text(all) {
    text.show(all, by("file"));
    const wrong = all.taken === false && all.diagnostics.find((one) => one.severity === "error");
    const file = all.files?.length > 1 && wrong ? `${all.files.find((one) => one.at === wrong.file)?.name}, ` : "";
    put("wrong", wrong ? `${file}${place(wrong)}${wrong.message}${wrong.help ? `; ${wrong.help}` : ""} – what played plays on` : "");
    by("wrong").hidden = !wrong;
    const name = all.files?.[0]?.name ?? "";
    put("session", name.replace(/\.rhai$/, "") || "gainstage");
    document.title = `${by("session").textContent} – gainstage`;
    mark();
  },
  typed(all) {
    text.show(all, by("typed"));
    mark();
  },
  picture({ svg }) {
    picture.show(svg);
    mark();
  },
  edit({ n, edit }) {
    const first = known.edit === null;
    if (!first && n <= known.edit) return;
    known.edit = n;
    if (recent()) light(edit);
  },
  told({ n, text: words }) {
    if (n <= known.told) return;
    known.told = n;
    log(words);
  },
  past(all) {
    scopes.past(all);
  },
  heard(one) {
    scopes.heard(one);
  },
  moment(moment) {
    known.edit ??= 0;
    known.since ??= performance.now();
    live();
    transport(moment);
    levels(moment);
  },
  sound({ path, sound, crowded, gone }) {
    if (path !== look) return;
    if (known.gone !== Boolean(gone)) {
      known.gone = Boolean(gone);
      mark();
    }
    known.crowded = crowded ? known.crowded + 1 : 0;
    // What has just been chosen takes a moment.
    if (known.crowded === 30) say("too many different things are looked at just now: this one is not measured");
    figures(sound);
    scopes.show(sound);
  },
};

/** What was before somebody looked has been heard: it is not lit. */
const recent = () => known.since !== undefined && performance.now() - known.since > 200;

/** Shows what an edit has done. */
function light(edit) {
  const parted = picture.light(edit);
  text.light(edit);
  lights.take({ ...edit, anew: [...edit.anew, ...parted] });
}

/** Lights the strips that an edit is of, those too that come after it. */
function shine(lit = lights.now()) {
  const names = new Set(lit.map(({ path }) => path.split(/[>/]/)[0]));
  for (const strip of document.querySelectorAll(".strip")) strip.classList.toggle("lit", names.has(strip.dataset.of));
}

function log(words) {
  const line = document.createElement("li");
  line.textContent = words;
  by("log").append(line);
  while (by("log").children.length > 200) by("log").firstChild.remove();
  by("log").scrollTop = by("log").scrollHeight;
  say(words.split("\n").find((one) => one.trim()) ?? "");
}

function say(words) {
  by("said").classList.toggle("wrong", /^(error|warning)|not taken/.test(words));
  put("said", words);
}

// The head of the page.

function beats() {
  const marks = Array.from({ length: known.beats }, () => document.createElement("i"));
  by("beats").replaceChildren(...marks);
}

function transport(moment) {
  const [bar, beat] = moment.bar;
  put("place", `${bar}:${beat}`);
  [...by("beats").children].forEach((mark, i) => mark.classList.toggle("on", moment.rolling && i + 1 === beat));
  const minutes = Math.floor(moment.seconds / 60);
  put("time", `${minutes}:${(moment.seconds - 60 * minutes).toFixed(1).padStart(4, "0")}`);
  put("tempo", `${Math.round(moment.tempo * 10) / 10} bpm`);
  put("section", moment.section ?? "");
  put("rolling", moment.rolling ? "" : "stopped");
  put("load", `load ${Math.round(moment.load[0])} %`);
  if (known.target) put("target", moment.far ?? `for ${known.target.name}`);
}

// Levels of the strips.

function strips() {
  const list = by("list");
  list.classList.toggle("many", known.strips.length > 12);
  const before = new Map([...list.children].map((strip) => [strip.dataset.of, strip]));
  const now = known.strips.map((of) => {
    const strip = before.get(of.name) ?? strip_of(of);
    strip.className = `strip ${of.kind}${of.muted || of.left_out ? " quiet" : ""}${of.kind === "master" ? " last" : ""}`;
    strip.of = of;
    return strip;
  });
  list.replaceChildren(...now);
  shine();
  if (!now.some((strip) => strip.tabIndex === 0) && now.length) now.at(-1).tabIndex = 0;
}

function strip_of(of) {
  const strip = document.createElement("div");
  strip.setAttribute("role", "option");
  strip.tabIndex = -1;
  strip.dataset.of = of.name;
  strip.title = of.name;
  const name = document.createElement("span");
  const peak = document.createElement("span");
  name.className = "name";
  name.textContent = of.name;
  peak.className = "peak";
  strip.append(document.createElement("canvas"), name, peak);
  strip.addEventListener("click", () => choose(of.name));
  strip.addEventListener("mouseenter", () => point([of.name]));
  strip.addEventListener("mouseleave", () => point([]));
  return strip;
}

let said = 0;

function levels(moment) {
  const now = performance.now();
  const aloud = now - said > 1000;
  if (aloud) said = now;
  [...by("list").children].forEach((strip, i) => {
    const [peak, rms, held, clipped, down] = moment.strips.slice(5 * i, 5 * i + 5);
    scopes.meter(strip.firstChild, { peak, rms, held, clipped, down: down < SILENT ? null : down });
    const number = strip.lastChild;
    const words = shown(held);
    if (number.textContent !== words) number.textContent = words;
    number.classList.toggle("over", clipped === 1);
    // Who hears the page is not told thirty times a second.
    if (aloud) strip.title = strip.ariaLabel = spoken(strip.of, peak, clipped, down);
    picture.strip(strip.dataset.of, peak, clipped, down);
  });
  picture.strips();
  picture.levels(moment.levels);
}

function spoken(of, peak, clipped, down) {
  const parts = [of.name, ...(of.kind === of.name ? [] : [of.kind]), peak <= -900 ? "silent" : `peak ${(peak / 10).toFixed(0).replace("-", "−")} dB`];
  if (down >= 1) parts.push(`turned down ${(down / 10).toFixed(0)} dB`);
  if (clipped) parts.push("over full scale");
  if (of.muted) parts.push("muted");
  if (of.soloed) parts.push("soloed");
  if (of.left_out) parts.push("silenced by a solo");
  return parts.join(", ");
}

function figures(sound) {
  const dash = (figure) => (figure === null || figure === undefined ? "–" : figure.toFixed(1).replace("-", "−"));
  const [momentary, short, whole, peak] = sound?.lufs ?? [];
  const all = [
    ["RMS", dash(sound?.rms), "dBFS"],
    ["momentary", dash(momentary), "LUFS"],
    ["short-term", dash(short), "LUFS"],
    // The master is measured from the beginning on, anything else while somebody looks at it.
    [look === MASTER ? "integrated" : "since looked at", dash(whole), "LUFS"],
    ["true peak", dash(peak), "dBTP"],
    ["turned down", picture.down(look), "dB"],
    ["correlation", sound?.correlation === null || !sound ? "–" : sound.correlation.toFixed(2).replace("-", "−"), ""],
    ["channels", sound ? String(sound.channels) : "–", ""],
  ];
  const list = by("figures");
  if (!list.children.length) {
    list.replaceChildren(...all.map(([name, , unit]) => {
      const pair = document.createElement("div");
      const [dt, dd, small] = ["dt", "dd", "small"].map((tag) => document.createElement(tag));
      dt.textContent = name;
      small.textContent = unit;
      dd.append("", small);
      pair.append(dt, dd);
      return pair;
    }));
  }
  all.forEach(([name, figure], i) => {
    const [dt, dd] = list.children[i].children;
    if (dt.textContent !== name) dt.textContent = name;
    if (dd.firstChild.data !== figure) dd.firstChild.data = figure;
  });
}

// Keys.

const is_far = () => document.documentElement.classList.contains("projector");

function projector(on) {
  document.documentElement.classList.toggle("projector", on);
  scopes.recolour();
  round.go(on);
  // Its picture is another one.
  picture.anew();
  if (stream) connect();
}

/** Shows each strip by itself, or those that are alike as one again. */
function unfold() {
  if (by("unfold").hidden) return say("no strips are drawn as one");
  unfolded = !unfolded;
  put("unfold", unfolded ? "fold" : "unfold");
  picture.anew();
  connect();
}

/** Another picture is there, in which some are drawn as one or none. */
function drawn(folds) {
  by("unfold").hidden = !folds && !unfolded;
}

/** Says which keys there are, and what is seen. */
function help() {
  by("help").showModal();
  for (const canvas of document.querySelectorAll(".sample")) {
    const { peak, rms, held, down } = canvas.dataset;
    scopes.meter(canvas, { peak: Number(peak), rms: Number(rms), held: Number(held ?? SILENT), clipped: 0, down: Number(down ?? 0) });
  }
}

function move(event) {
  const strip = event.target.closest?.(".strip");
  if (!strip) return false;
  const all = [...by("list").children];
  const at = all.indexOf(strip);
  const to = { ArrowLeft: at - 1, ArrowUp: at - 1, ArrowRight: at + 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[event.key];
  if (to === undefined || !all[to]) return false;
  all.forEach((one) => (one.tabIndex = -1));
  all[to].tabIndex = 0;
  all[to].focus();
  all[to].scrollIntoView({ block: "nearest", inline: "center" });
  point([all[to].dataset.of]);
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || by("help").open) return;
  const keys = {
    "?": help,
    Escape: () => choose(MASTER),
    p: () => projector(!is_far()),
    u: unfold,
    z: () => picture.turn(),
    l: () => (by("log").hidden = !by("log").hidden),
    Enter: () => choose(event.target.dataset?.of ?? picture.path(event.target) ?? text.path(event.target)),
  };
  const done = move(event) || picture.move(event) || text.move(event);
  if (done || keys[event.key]) {
    if (!done) keys[event.key]();
    if (event.target.tagName !== "BUTTON") event.preventDefault();
  }
});
by("ask").addEventListener("click", help);
by("unfold").addEventListener("click", unfold);

projector(new URLSearchParams(location.search).has("projector"));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => scopes.recolour());
connect();
