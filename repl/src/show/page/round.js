// For who sits far away: a picture that is larger than its panel goes round by itself, so that nobody has to scroll.

// How far it goes in a second, how much of the panel is new at each stop, and for how long it stays there, or where somebody or
// an edit has brought it.
const SPEED = 60;
const NEW = 0.75;
const STAY = 4000;
const BROUGHT = 8000;

export class Round {
  constructor(panel) {
    Object.assign(this, { panel, at: null, next: 0, until: 0, before: 0, frame: 0 });
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
  }

  /** Begins, or ends. */
  go(on) {
    cancelAnimationFrame(this.frame);
    this.at = null;
    this.next = 0;
    if (on) this.step(performance.now());
  }

  step(now) {
    this.frame = requestAnimationFrame((later) => this.step(later));
    const passed = Math.min(100, now - this.before) / 1000;
    this.before = now;
    const is = [this.panel.scrollLeft, this.panel.scrollTop];
    if (!this.at || far(this.at, is) > 2) {
      this.until = now + (this.at ? BROUGHT : STAY);
      this.at = is;
    }
    if (now < this.until) return;
    const all = stops(this.panel);
    const to = all[this.next % all.length];
    const left = far(this.at, to);
    // Who wants no movement is shown the next part at once.
    const reach = this.calm.matches ? left : SPEED * passed;
    if (left <= reach) {
      this.at = to;
      this.next++;
      this.until = now + STAY;
    } else {
      this.at = this.at.map((from, i) => from + ((to[i] - from) * reach) / left);
    }
    this.panel.scrollTo(...this.at);
  }
}

const far = ([a, b], [c, d]) => Math.hypot(a - c, b - d);

/** Where to stop, there and back: down one column, up the next. */
function stops({ scrollWidth, clientWidth, scrollHeight, clientHeight }) {
  const parts = (whole, seen) => {
    const over = Math.max(0, whole - seen);
    const count = Math.ceil(over / (NEW * Math.max(1, seen)));
    return Array.from({ length: count + 1 }, (_, i) => (count ? (over * i) / count : 0));
  };
  const [across, down] = [parts(scrollWidth, clientWidth), parts(scrollHeight, clientHeight)];
  const there = across.flatMap((x, i) => (i % 2 ? [...down].reverse() : down).map((y) => [x, y]));
  return [...there, ...there.slice(1, -1).reverse()];
}
