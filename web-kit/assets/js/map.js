// The map of branches on one canvas. Land and points are drawn into a layer that is larger than the window; panning
// only moves that layer, and it is drawn anew when the window leaves it or the scale changes. What is worst is drawn
// last and keeps its name. Words come from the list beside the map, so no sentence stands here.
const canvas = document.getElementById('map');
const LAND_STEP = 8; // px between dots of land
const MARGIN = 220; // px of the layer beyond the window
const LABELS = 28;
const CLOSEST = 3_000_000; // px for the whole world
const TURN = 2 * Math.PI;

// Glyphs as in the sprite, on a grid of 20 or of 24.
const GLYPHS = {
  cut_off: { fill: ['M7.3 3.5A6.5 6.5 0 0 0 7.3 16.5Z'], line: ['M13.35 4.2A5.85 5.85 0 0 1 13.35 15.8Z'] },
  catching_up: { fill: ['M9 3.5A6.5 6.5 0 0 0 9 16.5Z', 'M11.65 9.6H17.4A5.8 5.8 0 0 1 11.65 15.8Z'], line: ['M11.65 4.2A5.85 5.85 0 0 1 11.65 15.8Z'] },
  decide: {
    grid: 24,
    line: [
      'M3.85 8.62a4 4 0 0 1 4.78-4.77 4 4 0 0 1 6.74 0 4 4 0 0 1 4.78 4.78 4 4 0 0 1 0 6.74 4 4 0 0 1-4.77 4.78 4 4 0 0 1-6.75 0 4 4 0 0 1-4.78-4.77 4 4 0 0 1 0-6.76Z',
      'M9.09 9a3 3 0 0 1 5.83 1c0 2-3 3-3 3',
    ],
    dot: [12, 17, 1],
  },
  no_machine: {
    grid: 24,
    line: [
      'M15 21v-5a1 1 0 0 0-1-1h-4a1 1 0 0 0-1 1v5',
      'M17.774 10.31a1.12 1.12 0 0 0-1.549 0 2.5 2.5 0 0 1-3.451 0 1.12 1.12 0 0 0-1.548 0 2.5 2.5 0 0 1-3.452 0 1.12 1.12 0 0 0-1.549 0 2.5 2.5 0 0 1-3.77-3.248l2.889-4.184A2 2 0 0 1 7 2h10a2 2 0 0 1 1.653.873l2.895 4.192a2.5 2.5 0 0 1-3.774 3.244',
      'M4 10.95V19a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v-8.05',
    ],
  },
};

const mercator = (degrees) => {
  const at = (Math.max(-84, Math.min(84, degrees)) * Math.PI) / 180;
  return 0.5 - Math.log(Math.tan(Math.PI / 4 + at / 2)) / TURN;
};

class BranchMap {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext('2d');
    this.layer = document.createElement('canvas');
    this.mask = document.createElement('canvas');
    this.maskContext = this.mask.getContext('2d', { willReadFrequently: true });
    this.points = null;
    this.land = null;
    this.x = 0.5;
    this.y = 0.35;
    this.scale = 1_000; // px for the whole world
    this.drawn = null;
    this.frame = 0;
    this.hover = -1;
    this.glyphs = new Map();
    this.ink();
    this.listen();
    this.size();
    this.load();
  }

  async load() {
    const [land] = await Promise.all([fetch(this.canvas.dataset.land).then((answer) => answer.json()), this.ask()]);
    this.land = paths(land);
    this.again();
  }

  // The newest state of all branches; the view stays where it is after the first time.
  async ask() {
    const answer = await fetch(this.canvas.dataset.points);
    if (!answer.ok) return;
    const data = await answer.json();
    const isFirst = this.points === null;
    const n = data.codes.length;
    const points = { n, codes: data.codes, names: data.names, states: data.states, state: data.state, x: new Float64Array(n), y: new Float64Array(n) };
    for (let i = 0; i < n; i += 1) {
      points.x[i] = data.longitudes[i] / 3_600_000 + 0.5;
      points.y[i] = mercator(data.latitudes[i] / 10_000);
    }
    this.points = points;
    this.hover = -1;
    if (isFirst) this.whole();
    this.again();
  }

  ink() {
    this.colours = {};
    for (const span of document.querySelectorAll('.map-ink')) this.colours[span.dataset.ink] = getComputedStyle(span).color;
    this.font = getComputedStyle(this.canvas).fontFamily;
    this.glyphs.clear();
  }

  size() {
    const box = this.canvas.getBoundingClientRect();
    this.ratio = Math.min(2, window.devicePixelRatio || 1);
    this.width = Math.max(1, Math.round(box.width));
    this.height = Math.max(1, Math.round(box.height));
    this.canvas.width = Math.round(this.width * this.ratio);
    this.canvas.height = Math.round(this.height * this.ratio);
    this.again();
  }

  // The branches in the window, with room for the legend; of very many, a few far ones may lie outside.
  whole() {
    const { points } = this;
    if (!points || points.n === 0) return;
    const rim = points.n > 200 ? Math.floor(points.n / 50) : 0;
    const [xs, ys] = [points.x.toSorted(), points.y.toSorted()];
    const [left, right, top, bottom] = [xs[rim], xs[points.n - 1 - rim], ys[rim], ys[points.n - 1 - rim]];
    const wide = (this.width - 150) / Math.max(right - left, 1e-9);
    const high = (this.height - 120) / Math.max(bottom - top, 1e-9);
    this.scale = Math.min(40_000, wide, high);
    this.x = (left + right) / 2 - 30 / this.scale;
    this.y = (top + bottom) / 2;
    this.again();
  }

  again() {
    this.drawn = null;
    this.soon();
  }

  soon() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  screen(i) {
    return [(this.points.x[i] - this.x) * this.scale + this.width / 2, (this.points.y[i] - this.y) * this.scale + this.height / 2];
  }

  move(dx, dy) {
    this.x = Math.max(0, Math.min(1, this.x - dx / this.scale));
    this.y = Math.max(0, Math.min(1, this.y - dy / this.scale));
    this.soon();
  }

  zoom(factor, atX = this.width / 2, atY = this.height / 2) {
    const scale = Math.max(this.width / 1.2, Math.min(CLOSEST, this.scale * factor));
    const by = 1 / this.scale - 1 / scale;
    this.x += (atX - this.width / 2) * by;
    this.y += (atY - this.height / 2) * by;
    this.scale = scale;
    this.soon();
    clearTimeout(this.settles);
    this.settles = setTimeout(() => this.again(), 120);
  }

  draw() {
    const { context, ratio, width, height } = this;
    if (this.isLeft()) this.drawLayer();
    const { drawn } = this;
    const by = this.scale / drawn.scale;
    const left = (drawn.x - this.x) * this.scale + width / 2 - (drawn.width / 2) * by;
    const top = (drawn.y - this.y) * this.scale + height / 2 - (drawn.height / 2) * by;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (by === 1) {
      context.drawImage(this.layer, Math.round(left * ratio), Math.round(top * ratio));
    } else {
      context.drawImage(this.layer, left * ratio, top * ratio, this.layer.width * by, this.layer.height * by);
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.drawNames();
  }

  // Whether the window has left the layer.
  isLeft() {
    const { drawn } = this;
    if (!drawn) return true;
    const by = this.scale / drawn.scale;
    if (by > 2 || by < 0.6) return true;
    const dx = Math.abs(drawn.x - this.x) * this.scale + this.width / 2;
    const dy = Math.abs(drawn.y - this.y) * this.scale + this.height / 2;
    return dx > (drawn.width / 2) * by || dy > (drawn.height / 2) * by;
  }

  drawLayer() {
    const { ratio } = this;
    const width = this.width + 2 * MARGIN;
    const height = this.height + 2 * MARGIN;
    if (this.layer.width !== Math.round(width * ratio) || this.layer.height !== Math.round(height * ratio)) {
      this.layer.width = Math.round(width * ratio);
      this.layer.height = Math.round(height * ratio);
    }
    this.drawn = { x: this.x, y: this.y, scale: this.scale, width, height };
    const context = this.layer.getContext('2d');
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.layer.width, this.layer.height);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (this.land) {
      this.drawLines(context, width, height);
      this.drawLand(context, width, height);
    }
    if (this.points) this.drawPoints(context, width, height);
  }

  // Land as a grid of dots: the outlines are filled into a mask with one pixel for each place of the grid. The grid
  // keeps its place on earth, so dots do not swim when the map moves.
  drawLand(context, width, height) {
    const half = LAND_STEP / 2;
    const originX = this.x * this.scale - width / 2;
    const originY = this.y * this.scale - height / 2;
    const firstX = Math.floor(originX / half);
    const firstY = Math.floor(originY / LAND_STEP);
    const columns = Math.ceil(width / half) + 2;
    const rows = Math.ceil(height / LAND_STEP) + 2;
    this.mask.width = columns;
    this.mask.height = rows;
    const mask = this.maskContext;
    mask.setTransform(this.scale / half, 0, 0, this.scale / LAND_STEP, -firstX + 0.5, -firstY + 0.5);
    mask.fill(this.land.rings, 'evenodd');
    const { data } = mask.getImageData(0, 0, columns, rows);
    const dot = this.sprite('land', 4, (brush) => {
      brush.fillStyle = this.colours.land;
      brush.beginPath();
      brush.arc(2, 2, 1.6, 0, TURN);
      brush.fill();
    });
    for (let row = 0; row < rows; row += 1) {
      const y = (firstY + row) * LAND_STEP - originY;
      for (let column = (firstX + firstY + row) & 1; column < columns; column += 2) {
        if (data[(row * columns + column) * 4 + 3] < 128) continue;
        context.drawImage(dot, (firstX + column) * half - originX - 2, y - 2, 4, 4);
      }
    }
  }

  // Coasts and borders help once the dots alone say too little.
  drawLines(context, width, height) {
    if (this.scale < 3_500) return;
    context.save();
    context.translate(width / 2 - this.x * this.scale, height / 2 - this.y * this.scale);
    context.scale(this.scale, this.scale);
    context.lineWidth = 1 / this.scale;
    context.lineJoin = 'round';
    context.strokeStyle = this.colours.border;
    context.stroke(this.land.borders);
    if (this.scale > 9_000) context.stroke(this.land.rings);
    context.restore();
  }

  sprite(name, size, paint) {
    const key = `${name} ${size} ${this.ratio}`;
    let made = this.glyphs.get(key);
    if (!made) {
      made = document.createElement('canvas');
      made.width = Math.ceil(size * this.ratio);
      made.height = made.width;
      const brush = made.getContext('2d');
      brush.scale(made.width / size, made.width / size);
      paint(brush);
      this.glyphs.set(key, made);
    }
    return made;
  }

  mark(state, radius, hasGlyphs) {
    const glyph = GLYPHS[state];
    const size = glyph && hasGlyphs ? 26 : Math.ceil(radius * 2 + 3);
    return [size, this.sprite(state, size, (brush) => {
      brush.translate(size / 2, size / 2);
      brush.fillStyle = this.colours.ground;
      brush.beginPath();
      brush.arc(0, 0, size === 26 ? 11 : radius + 1.5, 0, TURN);
      brush.fill();
      brush.fillStyle = this.colours[state];
      brush.strokeStyle = this.colours[state];
      if (size !== 26) {
        brush.beginPath();
        brush.arc(0, 0, radius, 0, TURN);
        brush.fill();
        return;
      }
      const grid = glyph.grid ?? 20;
      brush.scale(18 / grid, 18 / grid);
      brush.translate(-grid / 2, -grid / 2);
      brush.lineWidth = grid / 12;
      brush.lineJoin = 'round';
      brush.lineCap = 'round';
      for (const path of glyph.fill ?? []) brush.fill(new Path2D(path));
      for (const path of glyph.line ?? []) brush.stroke(new Path2D(path));
      if (glyph.dot) {
        brush.beginPath();
        brush.arc(...glyph.dot, 0, TURN);
        brush.fill();
      }
    })];
  }

  // From the well to the worst. Where many lie on each other one mark stands for them, that of the worst.
  drawPoints(context, width, height) {
    const { points, scale } = this;
    const offsetX = width / 2 - this.x * scale;
    const offsetY = height / 2 - this.y * scale;
    const inside = [];
    for (let i = points.n - 1; i >= 0; i -= 1) {
      const x = points.x[i] * scale + offsetX;
      const y = points.y[i] * scale + offsetY;
      if (x > -14 && y > -14 && x < width + 14 && y < height + 14) inside.push(i);
    }
    const radius = inside.length > 4_000 ? 2.2 : inside.length > 500 ? 3 : 4.5;
    // A state is never told by colour alone, as long as there is room for its glyph.
    const sick = inside.filter((i) => GLYPHS[points.states[points.state[i]]]).length;
    const hasGlyphs = radius > 2.5 || sick <= 300;
    const cell = radius * 1.4;
    const columns = Math.ceil((width + 28) / cell) + 1;
    const last = new Int32Array(columns * (Math.ceil((height + 28) / cell) + 1)).fill(-1);
    const cells = new Int32Array(inside.length);
    inside.forEach((i, at) => {
      const x = points.x[i] * scale + offsetX + 14;
      const y = points.y[i] * scale + offsetY + 14;
      cells[at] = Math.floor(y / cell) * columns + Math.floor(x / cell);
      last[cells[at]] = at;
    });
    inside.forEach((i, at) => {
      if (last[cells[at]] !== at) return;
      const [size, mark] = this.mark(points.states[points.state[i]], radius, hasGlyphs);
      context.drawImage(mark, points.x[i] * scale + offsetX - size / 2, points.y[i] * scale + offsetY - size / 2, size, size);
    });
  }

  // The list beside the map says which branches are worst and in which words.
  drawNames() {
    const { points, context } = this;
    if (!points) return;
    const said = this.said();
    const taken = [];
    const wanted = [];
    if (this.hover >= 0) wanted.push(this.hover);
    for (let i = 0; i < points.n && wanted.length < LABELS && said.has(points.codes[i]); i += 1) wanted.push(i);
    const inside = [];
    for (let i = 0; i < points.n && inside.length <= 30; i += 1) if (this.isInside(i)) inside.push(i);
    if (inside.length <= 30) wanted.push(...inside);
    context.textBaseline = 'middle';
    context.lineJoin = 'round';
    for (const i of new Set(wanted)) if (this.isInside(i)) this.drawName(i, said.get(points.codes[i]) ?? '', taken);
  }

  isInside(i) {
    const [x, y] = this.screen(i);
    return x > 0 && y > 0 && x < this.width && y < this.height;
  }

  said() {
    const said = new Map();
    for (const row of document.querySelectorAll('#worst [data-code]')) said.set(row.dataset.code, row.dataset.label);
    return said;
  }

  drawName(i, what, taken) {
    const { context, points, colours } = this;
    const [x, y] = this.screen(i);
    const [strong, light] = [`600 13px ${this.font}`, `400 13px ${this.font}`];
    context.font = strong;
    const name = points.names[i];
    const nameWidth = context.measureText(name).width;
    context.font = light;
    const whatWidth = what ? context.measureText(what).width + 5 : 0;
    const width = nameWidth + whatWidth;
    const away = GLYPHS[points.states[points.state[i]]] ? 14 : 8;
    const places = [[x + away, y], [x - away - width, y], [x - width / 2, y - away - 8], [x - width / 2, y + away + 8]];
    const isFree = ([left, middle]) => left > 4 && left + width < this.width - 4 && middle > 10 && middle < this.height - 10
      && taken.every((box) => left > box[2] || left + width < box[0] || middle - 9 > box[3] || middle + 9 < box[1]);
    const place = places.find(isFree) ?? (i === this.hover ? places[0] : null);
    if (!place) return;
    const [left, middle] = place;
    taken.push([left - 4, middle - 9, left + width + 4, middle + 9], [x - 8, y - 8, x + 8, y + 8]);
    context.strokeStyle = colours.ground;
    context.lineWidth = 4;
    const write = (font, text, at, colour) => {
      context.font = font;
      context.strokeText(text, at, middle);
      context.fillStyle = colour;
      context.fillText(text, at, middle);
    };
    write(strong, name, left, colours.name);
    if (what) write(light, what, left + nameWidth + 5, colours.what);
    if (i === this.hover) {
      context.strokeStyle = colours.focus;
      context.lineWidth = 2;
      context.beginPath();
      context.arc(x, y, 12, 0, TURN);
      context.stroke();
    }
  }

  // The branch under the pointer: the worst of those that are near.
  near(x, y) {
    if (!this.points) return -1;
    let [found, best] = [-1, 144];
    for (let i = 0; i < this.points.n; i += 1) {
      const dx = (this.points.x[i] - this.x) * this.scale + this.width / 2 - x;
      const dy = (this.points.y[i] - this.y) * this.scale + this.height / 2 - y;
      const far = dx * dx + dy * dy;
      if (far < best) [found, best] = [i, far];
    }
    return found;
  }

  point(code) {
    const i = this.points ? this.points.codes.indexOf(code) : -1;
    if (i === this.hover) return;
    this.hover = i;
    this.soon();
  }

  open(i) {
    if (i >= 0) location.assign(this.canvas.dataset.branch + encodeURIComponent(this.points.codes[i]));
  }

  listen() {
    const { canvas } = this;
    const pointers = new Map();
    let moved = 0;
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, event);
      moved = 0;
    });
    canvas.addEventListener('pointermove', (event) => {
      const before = pointers.get(event.pointerId);
      if (!before) {
        const i = this.near(event.offsetX, event.offsetY);
        canvas.toggleAttribute('data-ui-hit', i >= 0);
        if (i !== this.hover) {
          this.hover = i;
          this.soon();
        }
        return;
      }
      const [dx, dy] = [event.offsetX - before.offsetX, event.offsetY - before.offsetY];
      moved += Math.abs(dx) + Math.abs(dy);
      const other = [...pointers.values()].find((pointer) => pointer.pointerId !== event.pointerId);
      pointers.set(event.pointerId, event);
      if (!other) {
        this.move(dx, dy);
        return;
      }
      const apart = (pointer) => Math.hypot(pointer.offsetX - other.offsetX, pointer.offsetY - other.offsetY) || 1;
      this.zoom(apart(event) / apart(before), (event.offsetX + other.offsetX) / 2, (event.offsetY + other.offsetY) / 2);
    });
    const up = (event) => {
      if (pointers.delete(event.pointerId) && moved < 6 && event.type === 'pointerup') this.open(this.near(event.offsetX, event.offsetY));
    };
    canvas.addEventListener('pointerup', up);
    canvas.addEventListener('pointercancel', up);
    canvas.addEventListener('pointerleave', () => {
      if (pointers.size === 0 && this.hover >= 0) {
        this.hover = -1;
        this.soon();
      }
    });
    canvas.addEventListener('wheel', (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), event.offsetX, event.offsetY);
    }, { passive: false });
    canvas.addEventListener('dblclick', (event) => this.zoom(2, event.offsetX, event.offsetY));
    canvas.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
      if (step) {
        event.preventDefault();
        this.move(...step);
      }
    });
    document.querySelector('[data-map="closer"]')?.addEventListener('click', () => this.zoom(1.6));
    document.querySelector('[data-map="farther"]')?.addEventListener('click', () => this.zoom(1 / 1.6));
    document.querySelector('[data-map="whole"]')?.addEventListener('click', () => this.whole());
    for (const name of ['mouseover', 'focusin']) {
      document.addEventListener(name, (event) => {
        const row = event.target instanceof Element ? event.target.closest('#worst [data-code]') : null;
        if (row) this.point(row.dataset.code);
      });
    }
    document.addEventListener('htmx:after:swap', () => this.soon());
    for (const name of ['links-changed', 'branches-changed', 'exceptions-changed', 'resync']) {
      document.addEventListener(name, () => {
        clearTimeout(this.asks);
        this.asks = setTimeout(() => this.ask(), 400);
      });
    }
    const fresh = () => {
      this.ink();
      this.again();
    };
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', fresh);
    new MutationObserver(fresh).observe(document.documentElement, { attributeFilter: ['data-theme'] });
    new ResizeObserver(() => this.size()).observe(canvas);
  }
}

// Outlines as paths on the unit square of the projection.
function paths({ scale, rings, borders }) {
  const all = (lines, isClosed) => {
    const path = new Path2D();
    for (const line of lines) {
      let [x, y] = [0, 0];
      for (let at = 0; at < line.length; at += 2) {
        x += line[at];
        y += line[at + 1];
        const [left, top] = [x / scale / 360 + 0.5, mercator(y / scale)];
        if (at === 0) path.moveTo(left, top);
        else path.lineTo(left, top);
      }
      if (isClosed) path.closePath();
    }
    return path;
  };
  return { rings: all(rings, true), borders: all(borders, false) };
}

if (canvas) new BranchMap(canvas);
