// The till. Each scan goes into the basket, one after the other, so that each counts; the basket that comes back stands
// in the address. Change is worked out while somebody types; what is taken is what the form says, on the server.
import { tone } from './sound.js';

const till = () => document.getElementById('till');
const basket = () => document.getElementById('basket');
const pay = () => document.getElementById('pay');
const typing = (target) => target instanceof HTMLElement && target.matches('input:not([type="radio"]), textarea, select');

// Amounts as people of this language write them.
function reader(form) {
  const { sample, currency } = form.dataset;
  const digits = Number(form.dataset.digits);
  const group = sample[1];
  const point = digits > 0 ? sample[5] : '.';
  return {
    point,
    read(typed) {
      const plain = typed.replaceAll(/\s/g, '').replaceAll(group, '').replace(point, '.');
      if (!/^\d+(\.\d*)?$/.test(plain)) return null;
      const [whole, part = ''] = plain.split('.');
      return part.length > digits ? null : Number(whole + part.padEnd(digits, '0'));
    },
    show(minor) {
      const text = String(minor).padStart(digits + 1, '0');
      const whole = text.slice(0, text.length - digits).replaceAll(/\B(?=(\d{3})+$)/g, group);
      return digits > 0 ? `${whole}${point}${text.slice(-digits)}` : whole;
    },
    full(minor) {
      return `${currency}\u00a0${this.show(minor)}`;
    },
  };
}

const put = (words, values) => words.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

function drawChange() {
  const form = pay();
  const given = form?.querySelector('#given');
  if (!given) return;
  const money = reader(form);
  const due = Number(form.dataset.due);
  const note = form.querySelector('[name="note"]:checked')?.value ?? '';
  const typed = given.value.trim() === '' ? (note === '' ? due : Number(note)) : money.read(given.value);
  const back = typed === null ? null : typed - due;
  form.querySelector('[data-back]').textContent = back === null || back < 0 ? '–' : money.full(back);
  form.querySelector('[data-take]').textContent =
    back > 0 ? put(form.dataset.given, { given: money.full(typed), back: money.full(back) }) : form.dataset.exact;
  const parts = ['cash', 'bank'].map((name) => money.read(form.querySelector(`[name="${name}"]`).value.trim() || '0') ?? 0);
  const rest = Math.max(0, due - parts[0] - parts[1]);
  form.querySelector('[name="card"]').placeholder = put(form.dataset.rest, { amount: money.show(rest) });
}

const way = () => pay()?.querySelector('[name="tender"]:checked')?.value ?? '';

// Where the hand goes next: an amount that must be typed, the money, else the next scan.
function settle() {
  for (const part of document.querySelectorAll('.keypad')) part.hidden = false;
  drawChange();
  const missing = till()?.querySelector('[aria-invalid="true"], .ahead[data-first]');
  const found = document.querySelector('[data-found] a');
  if (missing) missing.focus();
  else if (found) found.focus();
  else if (!pay()?.querySelector('button[type="submit"]:disabled') && pay()?.querySelector('button[type="submit"]')) aim();
  else document.querySelector('.headbar [name="code"]')?.focus();
}

function aim() {
  const field = { cash: '#given', split: '#split-cash' }[way()];
  (pay().querySelector(field ?? 'footer button') ?? pay().querySelector('footer button'))?.focus();
}

let queue = Promise.resolve();

// Sends the basket with a code or a button and shows the one that comes back.
async function change(extra) {
  const form = basket();
  const body = new URLSearchParams(new FormData(form));
  body.delete('code');
  body.delete('action');
  for (const [name, value] of Object.entries(extra)) body.append(name, value);
  const headers = { 'HX-Request': 'true', 'HX-Request-Type': 'partial', accept: 'text/html' };
  const answer = await fetch(form.getAttribute('action'), { method: 'POST', body, headers });
  const elsewhere = answer.headers.get('hx-redirect');
  if (elsewhere) {
    tone('hit');
    location.assign(elsewhere);
    return;
  }
  if (!answer.ok) throw new Error(`the basket was answered by ${answer.status}`);
  const chosen = way();
  const pressed = document.activeElement?.name === 'action' ? document.activeElement.value : '';
  const place = document.createElement('template');
  place.innerHTML = await answer.text();
  till().replaceWith(place.content.querySelector('#till'));
  const address = till().dataset.address;
  if (address !== location.pathname + location.search) history.pushState(null, '', address);
  const same = chosen && pay().querySelector(`[name="tender"][value="${chosen}"]`);
  if (same) same.checked = true;
  if (extra.code !== undefined) tone(till().hasAttribute('data-unknown') ? 'unknown' : 'hit');
  settle();
  if (pressed) [...basket().querySelectorAll('button[name="action"]')].find((one) => one.value === pressed)?.focus();
}

function ask(extra) {
  queue = queue.then(() => change(extra)).catch(() => {
    tone('unknown');
    const said = basket().querySelector('[data-said]');
    said.querySelector('span').textContent = till().dataset.unreached;
    said.hidden = false;
  });
}

document.addEventListener('scan', (event) => {
  if (event.defaultPrevented || !basket()) return;
  event.preventDefault();
  ask({ code: event.detail.code });
});

document.addEventListener('submit', (event) => {
  if (event.target !== basket()) return;
  event.preventDefault();
  const action = event.submitter?.value ?? 'add';
  const field = document.querySelector('.headbar [name="code"]');
  const code = action === 'add' ? field.value.trim() : '';
  if (code) field.value = '';
  ask(code ? { code, action } : { action });
});

document.addEventListener('input', (event) => {
  if (event.target instanceof Element && event.target.id === 'given') {
    const exact = pay().querySelector('[name="note"][value=""]');
    if (exact) exact.checked = true;
  }
  if (event.target instanceof Element && event.target.closest('#pay')) drawChange();
});

document.addEventListener('change', (event) => {
  if (!(event.target instanceof HTMLInputElement)) return;
  if (['n', 'ahead', 'claim'].includes(event.target.name)) ask({ action: 'add' });
  if (event.target.name === 'note') {
    pay().querySelector('#given').value = '';
    drawChange();
    pay().querySelector('#given').focus();
  }
  if (event.target.name === 'tender') {
    drawChange();
    aim();
  }
});

document.addEventListener('click', (event) => {
  const digit = event.target instanceof Element ? event.target.closest('[data-digit]')?.dataset.digit : undefined;
  if (digit === undefined) return;
  const field = pay().querySelector('#given');
  const sign = digit === 'point' ? reader(pay()).point : digit;
  field.value = digit === 'erase' ? field.value.slice(0, -1) : field.value + sign;
  field.dispatchEvent(new Event('input', { bubbles: true }));
});

// A field of an amount takes digits; every other key of the page works from there too, unless more come as fast as a
// scanner types.
const PAUSE_MS = 60;
let waiting = 0;
function press(key) {
  if (key === '?') document.querySelector('[data-shows-keys]')?.click();
  const element = [...document.querySelectorAll('[data-key]')].find((one) => one.dataset.key.split(' ').includes(key) && one.checkVisibility());
  if (element?.matches('input')) element.focus();
  else element?.click();
}
addEventListener('keydown', (event) => {
  clearTimeout(waiting);
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !typing(event.target)) return;
  const key = event.key.toLowerCase();
  if (/^f[1-4689]$/.test(key)) {
    event.preventDefault();
    press(key);
  } else if (event.target.hasAttribute('data-amount') && (/^[a-z]$/.test(key) || key === '/' || key === '?')) {
    event.preventDefault();
    waiting = setTimeout(() => press(key), PAUSE_MS);
  }
});

// Back and forward ask the server for the basket of that address.
addEventListener('popstate', () => location.reload());

settle();
