// What edits have done is lit for a moment; what glides, for as long as it glides.

const MOMENT = 2500;

export class Lights {
  /** Calls to have drawn what is lit, when that is other than before. */
  constructor(draw) {
    Object.assign(this, { draw, all: [], timer: 0 });
  }

  /** Lights what an edit has done. What was lit of the same before is so no longer. */
  take({ added, ramped, anew, removed }) {
    const begun = performance.now();
    const gone = new Set([...added, ...anew, ...removed, ...ramped.map(([path]) => path)]);
    this.all = this.now().filter(({ path }) => !gone.has(path));
    const light = (name) => (path) => this.all.push({ name, path, until: begun + MOMENT });
    anew.forEach(light("lit-anew"));
    for (const [path, seconds] of ramped) this.all.push({ name: "lit-ramped", path, until: begun + Math.max(MOMENT, 1000 * seconds) });
    added.forEach(light("lit-added"));
    this.show();
  }

  /** What is lit now: how, and which path. */
  now() {
    return this.all.filter(({ until }) => until > performance.now());
  }

  show() {
    this.all = this.now();
    this.draw(this.all);
    clearTimeout(this.timer);
    const next = Math.min(...this.all.map(({ until }) => until));
    if (this.all.length) this.timer = setTimeout(() => this.show(), next - performance.now() + 5);
  }
}
