// What is looked at closely: how it swings, what it is made of, where it lies, how loud it was.

const FLOOR = -90;
const NOTHING = -9000;
const by = (id) => document.getElementById(id);

export class Scopes {
  constructor() {
    this.rate = 48000;
    this.target = null;
    this.history = [];
    this.seconds = 0.5;
    this.recolour();
    new ResizeObserver(() => this.drawLoudness()).observe(by("loudness"));
  }

  /** Colours are those of the page. */
  recolour() {
    const style = getComputedStyle(document.documentElement);
    const names = ["ground", "edge", "ink", "dim", "level", "high", "over", "down", "trace", "other", "grid"];
    this.colours = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    this.unit = parseFloat(style.fontSize) / 15;
    this.heat = heat(this.colours.ground, this.colours.trace, this.colours.high);
    this.restart();
    this.drawLoudness();
  }

  /** Something else is looked at. */
  restart() {
    const canvas = by("waterfall");
    canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
  }

  /** Another desk has another past. */
  forget() {
    this.history = [];
    this.restart();
  }

  show(sound) {
    this.swing(sound?.swing ?? []);
    this.spectrum(sound?.bands ?? []);
    this.waterfall(sound?.bands ?? []);
    this.field(sound?.field ?? [], sound?.correlation ?? null);
  }

  swing(channels) {
    const { context, width, height } = pen("swing");
    const { trace, other, grid } = this.colours;
    line(context, grid, this.unit, [[0, height / 2], [width, height / 2]]);
    channels.forEach((swing, i) => {
      const y = (x) => height / 2 - (x / 127) * (height / 2 - 2);
      const columns = swing.length / 2;
      context.globalAlpha = channels.length > 1 ? 0.8 : 1;
      context.strokeStyle = i ? other : trace;
      context.lineWidth = 1.6 * this.unit;
      context.beginPath();
      for (let at = 0; at < columns; at++) {
        const x = (at / columns) * width;
        context.lineTo(x, y(swing[2 * at]));
        context.lineTo(x, y(swing[2 * at + 1]));
      }
      context.stroke();
    });
    context.globalAlpha = 1;
  }

  spectrum(bands) {
    const { context, width, height } = pen("spectrum");
    const { grid } = this.colours;
    const y = (level) => (level / FLOOR) * height;
    const names = [];
    for (const [hertz, name] of [[50, "50"], [100, "100"], [200, ""], [500, "500"], [1000, "1k"], [2000, ""], [5000, "5k"], [10000, "10k"]]) {
      const x = (Math.log(hertz / 20) / Math.log(1000)) * width;
      line(context, grid, 1, [[x, 0], [x, height]]);
      // Where there is little room, only some are named.
      if (width > 230 * this.unit || !name.startsWith("5") || name === "50") names.push([name, x + 3, height - 4]);
    }
    for (const level of [-20, -40, -60]) {
      line(context, grid, 1, [[0, y(level)], [width, y(level)]]);
      names.push([String(level), 3, y(level) - 2]);
    }
    if (bands.length) this.curve(context, width, height, bands.map((level) => Math.min(height, y(level / 10))));
    for (const [name, x, y] of names) this.name(context, name, x, y);
  }

  curve(context, width, height, heights) {
    const { trace } = this.colours;
    const points = heights.map((y, i) => [((i + 0.5) / heights.length) * width, y]);
    context.beginPath();
    context.moveTo(0, height);
    for (const point of points) context.lineTo(...point);
    context.lineTo(width, height);
    context.globalAlpha = 0.22;
    context.fillStyle = trace;
    context.fill();
    context.globalAlpha = 1;
    line(context, trace, 1.6 * this.unit, points);
  }

  /** A figure that is read whatever it lies upon. */
  name(context, text, x, y) {
    context.font = `${10 * this.unit}px system-ui, sans-serif`;
    context.lineWidth = 3 * this.unit;
    context.lineJoin = "round";
    context.strokeStyle = this.colours.ground;
    context.strokeText(text, x, y);
    context.fillStyle = this.colours.dim;
    context.fillText(text, x, y);
  }

  /** Time goes from right to left, and what is new comes in at the right. */
  waterfall(bands) {
    const canvas = by("waterfall");
    const width = Math.max(1, canvas.clientWidth);
    if (canvas.width !== width || canvas.height !== 128) [canvas.width, canvas.height] = [width, 128];
    const context = canvas.getContext("2d", { willReadFrequently: false });
    context.drawImage(canvas, -2, 0);
    bands.forEach((level, i) => {
      const part = Math.max(0, Math.min(255, Math.round(((level / 10 + 85) / 70) * 255)));
      context.fillStyle = this.heat[part];
      context.fillRect(width - 2, 128 - i - 1, 2, 1);
    });
  }

  field(points, correlation) {
    const { context, width, height } = pen("field");
    const { trace, grid, dim, over, level } = this.colours;
    const bar = 16 * this.unit;
    const middle = [width / 2, (height - bar) / 2];
    const reach = Math.min(width, height - bar) / 2 - 3;
    context.font = `${10 * this.unit}px system-ui, sans-serif`;
    line(context, grid, 1, [[middle[0] - reach, middle[1]], [middle[0], middle[1] - reach], [middle[0] + reach, middle[1]], [middle[0], middle[1] + reach], [middle[0] - reach, middle[1]]]);
    line(context, grid, 1, [[middle[0], middle[1] - reach], [middle[0], middle[1] + reach]]);
    context.fillStyle = dim;
    context.fillText("L", middle[0] - reach, middle[1] - reach / 2);
    context.fillText("R", middle[0] + reach - 8 * this.unit, middle[1] - reach / 2);
    context.fillStyle = trace;
    const dot = 1.7 * this.unit;
    for (let i = 0; i < points.length; i += 2) {
      const [left, right] = [points[i] / 127, points[i + 1] / 127];
      // The middle is up, and opposite sides are across.
      const x = middle[0] + ((right - left) / 2) * reach;
      const y = middle[1] - ((right + left) / 2) * reach;
      context.fillRect(x - dot / 2, y - dot / 2, dot, dot);
    }
    const y = height - bar / 2;
    line(context, grid, 3 * this.unit, [[6, y], [width - 6, y]]);
    context.fillStyle = dim;
    context.fillText("−1", 6, y - 5 * this.unit);
    context.fillText("+1", width - 20 * this.unit, y - 5 * this.unit);
    line(context, grid, 1, [[width / 2, y - 5 * this.unit], [width / 2, y + 5 * this.unit]]);
    if (correlation === null) return;
    const x = 6 + ((correlation + 1) / 2) * (width - 12);
    context.fillStyle = correlation < 0 ? over : level;
    context.fillRect(x - 3 * this.unit, y - 5 * this.unit, 6 * this.unit, 10 * this.unit);
  }

  /** All that the desk knows of what was before, and how many seconds each figure of it is of. */
  past({ seconds, lufs }) {
    this.seconds = seconds;
    this.history = lufs;
    this.drawLoudness();
  }

  /** One more figure, of a number. What did not come in between is not known. */
  heard({ n, lufs }) {
    while (this.history.length < n - 1) this.history.push([2 * NOTHING, 2 * NOTHING]);
    this.history[n - 1] = lufs;
    this.drawLoudness();
  }

  drawLoudness() {
    const { context, width, height } = pen("loudness");
    const { trace, grid, high, edge } = this.colours;
    const [top, bottom] = [0, -48];
    const y = (lufs) => ((top - lufs) / (top - bottom)) * height;
    const marks = [-12, -24, -36];
    for (const lufs of marks) line(context, grid, 1, [[0, y(lufs)], [width, y(lufs)]]);
    const shown = this.history;
    const step = width / Math.max(240, shown.length);
    const x = (i) => width - (shown.length - 1 - i) * step;
    const trails = (at) => runs(shown.map((one) => one[at])).map(([from, run]) => run.map((tenths, i) => [x(from + i), y(tenths / 10)]));
    for (const trail of trails(0)) line(context, edge, 1.2 * this.unit, trail);
    for (const trail of trails(1)) line(context, trace, 2 * this.unit, trail);
    for (const lufs of marks) this.name(context, String(lufs), 3, y(lufs) - 2);
    const long = clock(Math.max(240, shown.length) * this.seconds);
    this.name(context, `−${long}`, 3, height - 3);
    if (this.target?.lufs === null || this.target?.lufs === undefined) return;
    context.setLineDash([6, 4]);
    line(context, high, 1.6 * this.unit, [[0, y(this.target.lufs)], [width, y(this.target.lufs)]]);
    context.setLineDash([]);
    const words = `${this.target.name} ${this.target.lufs}`;
    this.name(context, words, width - context.measureText(words).width - 4, y(this.target.lufs) - 4);
  }

  /** The meter of a strip. */
  meter(canvas, { peak, rms, held, clipped, down }) {
    const key = [peak, rms, held, clipped, down, this.colours.ground, canvas.clientWidth].join();
    if (canvas.key === key) return;
    canvas.key = key;
    const { context, width, height } = fit(canvas);
    const { grid, level, high, over, ink } = this.colours;
    const y = (tenths) => Math.max(0, Math.min(1, tenths / -600)) * height;
    context.fillStyle = grid;
    context.fillRect(0, 0, width, height);
    const reach = (tenths, alpha) => {
      context.globalAlpha = alpha;
      for (const [from, to, colour] of [[-600, -90, level], [-90, -10, high], [-10, 60, over]]) {
        if (tenths <= from) continue;
        context.fillStyle = colour;
        context.fillRect(0, y(Math.min(tenths, to)), width, y(from) - y(Math.min(tenths, to)));
      }
      context.globalAlpha = 1;
    };
    reach(peak, 0.45);
    reach(rms, 1);
    if (held > -600) {
      context.fillStyle = clipped ? over : ink;
      context.fillRect(0, Math.max(0, y(held) - 1), width, 2);
    }
    if (down > 0) {
      context.fillStyle = this.colours.down;
      context.fillRect(width * 0.62, 0, width * 0.38, Math.min(1, down / 240) * height);
    }
  }
}

/** A time in minutes, or hours, and what is beside them. */
function clock(seconds) {
  const two = (number) => String(Math.floor(number)).padStart(2, "0");
  const [hours, rest] = [Math.floor(seconds / 3600), seconds % 3600];
  return hours ? `${hours}:${two(rest / 60)} h` : `${Math.floor(rest / 60)}:${two(rest % 60)} min`;
}

/** What was measured without a gap: where each run of it begins, and its figures. What was not measured is no silence. */
export function runs(figures) {
  const all = [];
  figures.forEach((figure, i) => {
    if (figure < NOTHING) return;
    if (i === 0 || figures[i - 1] < NOTHING) all.push([i, []]);
    all.at(-1)[1].push(figure);
  });
  return all;
}

/** A canvas as sharp as the screen, cleared. */
function fit(canvas) {
  const scale = devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const [wide, high] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

const pen = (id) => fit(by(id));

function line(context, colour, width, points) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  for (const point of points) context.lineTo(...point);
  context.stroke();
}

/** Colours from the ground over one colour to another. */
function heat(...names) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [256, 1];
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const shade = context.createLinearGradient(0, 0, 256, 0);
  names.forEach((name, i) => shade.addColorStop([0.2, 0.72, 1][i], name || "#000000"));
  context.fillStyle = shade;
  context.fillRect(0, 0, 256, 1);
  const { data } = context.getImageData(0, 0, 256, 1);
  return Array.from({ length: 256 }, (_, i) => `rgb(${data[4 * i]} ${data[4 * i + 1]} ${data[4 * i + 2]})`);
}
