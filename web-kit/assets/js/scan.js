// A USB barcode scanner types like a keyboard, but faster than a hand: keys at most 35 ms apart and an Enter behind
// them are a scan, wherever the focus is. The page hears it as the event "scan" on document, detail {code}. The field
// that was in use gets its text, its caret and the focus back; nothing it would have done with the Enter happens.
//
// Outside of text fields a printable key is held for the length of one gap, for it may be the first of a code: the
// page's own keys act on it a moment later, and never on a code.
export { tone } from './sound.js';

const GAP_MS = 35;
const ENTER_GAP_MS = 100; // some scanners pause before the suffix; four keys at that pace are no hand's already
const SHORTEST = 4;

let keys = [];
let last = 0;
let before = null;
let held = [];
let timer = 0;

const writes = (element) =>
  element instanceof HTMLElement &&
  (element.isContentEditable ||
    element.matches('textarea, select, input:not([type="checkbox"], [type="radio"], [type="button"], [type="submit"], [type="file"], [type="range"])'));

function snapshot(element) {
  if (!writes(element)) return { element, writes: false };
  const state = { element, writes: true, value: element.value };
  try {
    state.selection = [element.selectionStart, element.selectionEnd, element.selectionDirection];
  } catch {
    state.selection = null;
  }
  return state;
}

function giveBack({ element, writes: wasWriting, value, selection }) {
  if (!(element instanceof HTMLElement) || !element.isConnected) return;
  if (wasWriting && element.value !== value) {
    element.value = value;
    element.dispatchEvent(new Event('input', { bubbles: true }));
  }
  if (document.activeElement !== element && element !== document.body) element.focus({ preventScroll: true });
  if (wasWriting && selection && selection[0] !== null) {
    try {
      element.setSelectionRange(...selection);
    } catch {
      // A field without a caret (e-mail, number) has nothing to give back.
    }
  }
}

// Keys that turned out to be typed: the page's own keys get them now, in their order.
function release() {
  clearTimeout(timer);
  timer = 0;
  const typed = held;
  held = [];
  for (const { target, init } of typed) {
    const place = target.isConnected ? target : document.body;
    place.dispatchEvent(new KeyboardEvent('keydown', { ...init, bubbles: true, cancelable: true }));
  }
}

function forget() {
  keys = [];
  before = null;
}

function finish(event) {
  const code = keys.join('').trim();
  const state = before;
  clearTimeout(timer);
  timer = 0;
  held = [];
  forget();
  event.preventDefault();
  event.stopImmediatePropagation();
  giveBack(state);
  if (code) document.dispatchEvent(new CustomEvent('scan', { detail: { code } }));
}

function hold(event) {
  const { key, code, shiftKey, repeat } = event;
  held.push({ target: event.target, init: { key, code, shiftKey, repeat } });
  event.preventDefault();
  event.stopImmediatePropagation();
  clearTimeout(timer);
  timer = setTimeout(letGo, GAP_MS + 1);
}

// The clock alone does not say that no key came: in a busy tab the next one may have come in time and wait its turn
// behind this. Keys are told apart by when they were pressed, so those that wait are heard first.
function letGo() {
  if (navigator.scheduling?.isInputPending?.()) {
    timer = setTimeout(letGo, 0);
    return;
  }
  const heard = last;
  timer = setTimeout(() => {
    if (last !== heard) return;
    forget();
    release();
  }, 0);
}

function listen(event) {
  // What this module lets go again is not from a keyboard; the tests' driver is.
  if (!event.isTrusted || event.isComposing || event.key === 'Shift') return;
  const gap = event.timeStamp - last;
  if (event.key === 'Enter' && keys.length >= SHORTEST && gap <= ENTER_GAP_MS && !event.ctrlKey && !event.metaKey) {
    finish(event);
    return;
  }
  const isPrintable = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (!isPrintable || event.repeat) {
    forget();
    release();
    return;
  }
  if (keys.length === 0 || gap > GAP_MS) {
    forget();
    release();
    before = snapshot(document.activeElement ?? document.body);
  }
  keys.push(event.key);
  last = event.timeStamp;
  // A first space presses the button in focus or scrolls, as ever.
  if (!before.writes && !(event.key === ' ' && keys.length === 1)) hold(event);
}

// The page loads this file by its versioned address and other modules import it by the plain one: two instances,
// of which one listens.
const LISTENS = Symbol.for('counterpart.scan');
if (!window[LISTENS]) {
  window[LISTENS] = true;
  addEventListener('keydown', listen, { capture: true });
  addEventListener('blur', forget);
}
