// Intake by keyboard: the box that finds people, picks by digit, what an earlier device says into its fields, a scan
// wherever the focus is. The page works without it; here is only what saves keys.
import { tone } from './scan.js';

const byId = (id) => document.getElementById(id);
const people = () => [...document.querySelectorAll('#people input[type="radio"]')];
const changed = () => byId('intake')?.dispatchEvent(new Event('change', { bubbles: true }));

let wantsPick = false; // Enter came before the answer to what was typed
let next = ''; // where the hand goes on when the answer is there

const isTyping = (target) =>
  target instanceof HTMLElement &&
  target.matches('textarea, select, input:not([type="checkbox"], [type="radio"], [type="button"])');

/** The list shown belongs to the words in the box. */
const isShown = () => {
  const list = document.querySelector('#people [data-for]');
  return list?.dataset.for === byId('who').value.trim();
};

function move(step) {
  const rows = people();
  if (rows.length === 0) return;
  const at = rows.findIndex((row) => row.checked);
  const row = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : (at + step + rows.length) % rows.length];
  row.checked = true;
  row.closest('.pick').scrollIntoView({ block: 'nearest' });
}

function pick() {
  const rows = people();
  const row = rows.find((other) => other.checked) ?? rows[0];
  if (!row) return;
  row.checked = true;
  chosen(row);
  changed();
}

// Somebody known goes on to the devices, somebody new to the name, of which a part is typed already.
function chosen(row) {
  if (row.value === 'new') {
    const fields = [byId('name'), byId('phone'), byId('email')];
    const typed = byId('who').value.trim();
    if (typed && fields.every((field) => !field.value)) {
      const place = typed.includes('@') ? 2 : /^[\d\s+().\/-]+$/.test(typed) ? 1 : 0;
      fields[place].value = typed;
    }
    (fields.find((field) => !field.value) ?? fields[0]).focus();
  } else if (row.value === '') {
    byId('who').value = '';
    byId('who').focus();
  } else {
    // Somebody of another branch comes over the line: the row says so until the answer takes its place.
    if (row.value.startsWith('elsewhere-')) row.closest('.pick').setAttribute('aria-busy', 'true');
    next = 'devices';
  }
}

function fill(row) {
  for (const name of ['category', 'brand', 'model', 'serial']) byId(name).value = row.dataset[name] ?? '';
  next = row.value === '0' ? 'category' : 'faults';
}

// The answer is there: the hand goes where the next decision is.
function arrive() {
  if (wantsPick && isShown()) {
    wantsPick = false;
    pick();
    return;
  }
  if (next === 'devices') {
    const first = document.querySelector('[data-digits="devices"] input:checked, [data-digits="devices"] input');
    if (!first && document.querySelector('#people > [role="alert"]')) {
      next = '';
      byId('person-new')?.focus();
    }
    if (!first) return;
    next = '';
    const isOnly = document.querySelectorAll('[data-digits="devices"] input').length === 1;
    (isOnly ? byId('category') : first).focus();
  } else if (next === 'category') {
    next = '';
    byId('category').focus();
  } else if (next === 'faults') {
    next = '';
    (document.querySelector('[data-digits="faults"] input') ?? byId('fault')).focus();
  }
}

function digit(event) {
  const groups = [...document.querySelectorAll('[data-digits]')];
  const here = event.target instanceof Element ? event.target.closest('[data-digits]') : null;
  const isSettled = (group) => group.dataset.digits === 'devices' && group.querySelector(':checked');
  const group = here ?? groups.find((other) => !isSettled(other)) ?? groups.at(-1);
  const cap = [...(group?.querySelectorAll('kbd') ?? [])].find((key) => key.textContent === event.key);
  const input = cap?.closest('.pick')?.querySelector('input');
  if (!input) return;
  event.preventDefault();
  input.focus();
  input.click();
}

// Everything that nobody looked at otherwise is fine.
function allFine(button) {
  for (const field of document.querySelectorAll('.checks input[name="state"]')) {
    if (!field.value.trim()) field.value = button.dataset.fine;
  }
  marks();
  changed();
}

// Fine, something else, or not looked at: in words already, here for the picture beside them.
function marks() {
  for (const field of document.querySelectorAll('.checks input[name="state"]')) {
    const value = field.value.trim();
    const row = field.closest('.check');
    if (!value) delete row.dataset.tone;
    else row.dataset.tone = value === field.dataset.fine ? 'agreed' : 'waiting';
  }
}

function scanned(code) {
  const same = [...document.querySelectorAll('[data-digits="devices"] input')].find(
    (row) => row.dataset.serial && row.dataset.serial.toUpperCase() === code.toUpperCase(),
  );
  tone('hit');
  if (same) {
    same.focus();
    same.click();
    return;
  }
  byId('serial').value = code;
  const isNobody = !document.querySelector('#people input:checked') && !byId('name').value;
  if (isNobody && !byId('who').value.trim()) {
    // Whose device is it? Who brought it before stands first in the list.
    const who = byId('who');
    who.value = code;
    who.dispatchEvent(new Event('input', { bubbles: true }));
    who.focus();
  }
  changed();
}

addEventListener('keydown', (event) => {
  const form = byId('intake');
  if (!form || event.isComposing || document.querySelector('dialog[open]')) return;
  const isSave = event.key === 'Enter' && (event.ctrlKey || event.metaKey);
  if (isSave && !(event.target instanceof Element && event.target.closest('form'))) {
    event.preventDefault();
    form.requestSubmit();
    return;
  }
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.id === 'who') {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      move(event.key === 'ArrowDown' ? 1 : -1);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      if (isShown() || document.querySelector('#people input:checked')) pick();
      else wantsPick = event.target.value.trim() !== '';
    }
    return;
  }
  if (event.key === 'Escape' && isTyping(event.target)) {
    event.target.blur();
    return;
  }
  // Enter in a field goes to the next one; what saves is Ctrl+Enter.
  if (event.key === 'Enter' && event.target instanceof HTMLInputElement && form.contains(event.target)) {
    event.preventDefault();
    const fields = [...form.querySelectorAll('input:not([type="hidden"]), textarea, button')].filter(
      (field) => field.checkVisibility() && field.tabIndex >= 0,
    );
    fields[fields.indexOf(event.target) + 1]?.focus();
    return;
  }
  if (/^\d$/.test(event.key) && !isTyping(event.target)) digit(event);
});

document.addEventListener('change', (event) => {
  const target = event.target;
  if (!(target instanceof HTMLInputElement)) return;
  if (target.name === 'person') chosen(target);
  if (target.name === 'known') fill(target);
  if (target.name === 'promise' && target.value === 'other') setTimeout(() => byId('promised').focus());
});

document.addEventListener('input', (event) => {
  if (event.target.id === 'who') wantsPick = false;
  if (event.target.name === 'state') marks();
});

document.addEventListener('click', (event) => {
  const button = event.target instanceof Element ? event.target.closest('button[data-fine]') : null;
  if (!button) return;
  event.preventDefault();
  allFine(button);
});

document.addEventListener('scan', (event) => scanned(event.detail.code));

// Parts of the form come anew; what had the focus there gets it back.
let held = '';
document.addEventListener('htmx:before:swap', () => {
  const active = document.activeElement;
  if (active && active !== document.body) held = active.id;
});
document.addEventListener('htmx:finally:request', () => {
  if (held && (document.activeElement === document.body || !document.activeElement)) byId(held)?.focus({ preventScroll: true });
  held = '';
  arrive();
});
marks();

// Who is known already, for a second device or from their page: the next decision is which of their devices it is.
addEventListener('load', () => {
  const category = byId('category');
  const devices = document.querySelectorAll('[data-digits="devices"] input');
  if (category?.autofocus && !category.value && devices.length > 1) devices[0].focus();
}, { once: true });
