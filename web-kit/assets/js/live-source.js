// One event stream, kept open for ever. EventSource tries lost connections again by itself, but after one answer
// other than 200 it is closed for good, and a half-open line never says anything: both are cared for here.
const QUIET_MS = 25_000; // the server sends a tick every 10 s
const LONGEST_WAIT_MS = 15_000;

export class LiveSource {
  #url;
  #names = new Set();
  #source = null;
  #heard = 0;
  #wait = 500;
  #timer = 0;
  #tell;
  #watch;
  /** True or false once it is known. */
  up = null;

  constructor(url, tell) {
    this.#url = url;
    this.#tell = tell;
    this.#watch = setInterval(() => {
      if (this.#source && Date.now() - this.#heard > QUIET_MS) this.#again();
    }, 5_000);
  }

  /** Listens to these events too; EventSource hands on only names it was asked for. */
  listen(names) {
    for (const name of names) {
      if (this.#names.has(name)) continue;
      this.#names.add(name);
      if (this.#source) this.#attach(this.#source, name);
    }
    if (!this.#source && !this.#timer) this.#open();
  }

  close() {
    clearInterval(this.#watch);
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#source?.close();
    this.#source = null;
  }

  #open() {
    this.#timer = 0;
    this.#heard = Date.now();
    const source = new EventSource(this.#url);
    this.#source = source;
    source.onopen = () => {
      this.#wait = 500;
      this.#say(true);
    };
    source.onerror = () => {
      this.#say(false);
      if (source.readyState === EventSource.CLOSED) this.#again();
    };
    source.addEventListener('tick', () => {
      this.#heard = Date.now();
    });
    for (const name of this.#names) this.#attach(source, name);
  }

  #attach(source, name) {
    source.addEventListener(name, (event) => {
      this.#heard = Date.now();
      this.#tell({ kind: 'event', name, data: event.data });
    });
  }

  #again() {
    this.#source?.close();
    this.#source = null;
    this.#say(false);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#open(), this.#wait * (0.5 + Math.random()));
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
  }

  #say(up) {
    if (this.up === up) return;
    this.up = up;
    this.#tell({ kind: 'line', up });
  }
}
