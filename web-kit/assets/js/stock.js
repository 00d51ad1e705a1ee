// Scans on the stock pages. data-scan on an element says what a scan does there:
//   open   leads to the part's page
//   list   adds one piece to the list of the form; the list survives a wrong link until it is saved
//   count  counts one piece of a part that is in the table already
// Scans are taken one after the other, so that each counts, however fast they come. A code is looked up once.
import { tone } from './sound.js';

const root = document.querySelector('[data-scan]');
const known = new Map();
let queue = Promise.resolve();

async function look(code) {
  if (known.has(code)) return known.get(code);
  const answer = await fetch(`/api/v1/stock/${encodeURIComponent(code)}`, { headers: { accept: 'application/json' } });
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error(`the code was answered by ${answer.status}`);
  const part = await answer.json();
  known.set(code, part);
  return part;
}

const put = (words, values) => words.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

function warn(words, values) {
  tone('unknown');
  const place = root.querySelector('[data-said]');
  place.querySelector('span').textContent = put(words, values);
  place.hidden = false;
}

function hit(row, name, n) {
  tone('hit');
  const place = root.querySelector('[data-said]');
  if (place) place.hidden = true;
  for (const other of root.querySelectorAll('tr[aria-selected]')) other.removeAttribute('aria-selected');
  row.setAttribute('aria-selected', 'true');
  row.scrollIntoView({ block: 'nearest' });
  const said = root.querySelector('[data-hits]');
  if (said) said.textContent = put(root.dataset.hit, { name, n });
}

const rowOf = (sku) => [...root.querySelectorAll('tr[data-sku]')].find((row) => row.dataset.sku === sku);
const whole = (field) => Math.max(0, Number.parseInt(field.value, 10) || 0);

// One list of parts that grows by scans. It is kept in this tab, with the form's key, until the page behind the form
// says that it was saved: who comes back after a lost answer saves the same once more, and it counts once.
const keptAt = (path) => `counterpart-list:${path}`;

function list(form) {
  const body = form.querySelector('[data-list] tbody');
  const template = form.querySelector('template[data-line]');
  const kept = keptAt(location.pathname);
  const key = form.querySelector('[name="key"]');

  const lines = () =>
    [...body.rows].map((row) => ({
      sku: row.dataset.sku,
      name: row.querySelector('[data-name]').textContent,
      bin: row.querySelector('[data-bin]').textContent,
      on_hand: row.querySelector('[data-on-hand]').textContent,
      quantity: row.querySelector('[name="quantity"]').value,
    }));

  function changed() {
    const now = lines();
    form.querySelector('[data-total]').textContent = now.reduce((sum, line) => sum + (Number.parseInt(line.quantity, 10) || 0), 0);
    form.querySelector('[data-empty]').hidden = now.length > 0;
    if (now.length > 0) sessionStorage.setItem(kept, JSON.stringify({ key: key.value, lines: now }));
    else sessionStorage.removeItem(kept);
  }

  function draw({ sku, name, bin, on_hand, quantity }) {
    const row = template.content.firstElementChild.cloneNode(true);
    row.dataset.sku = sku;
    row.querySelector('[name="sku"]').value = sku;
    row.querySelector('[data-name]').textContent = name || sku;
    row.querySelector('[data-number]').textContent = sku;
    row.querySelector('[data-bin]').textContent = bin ?? '';
    row.querySelector('[data-on-hand]').textContent = on_hand;
    const pieces = row.querySelector('[name="quantity"]');
    pieces.value = quantity;
    pieces.setAttribute('aria-label', `${pieces.getAttribute('aria-label')}, ${name || sku}`);
    row.querySelector('button').value = `remove-${sku}`;
    body.append(row);
    return row;
  }

  const before = JSON.parse(sessionStorage.getItem(kept) ?? 'null');
  if (before && body.rows.length === 0) {
    key.value = before.key;
    for (const line of before.lines) draw(line);
  }
  changed();

  form.addEventListener('input', changed);
  form.addEventListener('submit', (event) => {
    const action = event.submitter?.name === 'action' ? event.submitter.value : '';
    if (action === 'add') {
      event.preventDefault();
      const field = form.querySelector('[name="code"]');
      const code = field.value.trim();
      field.value = '';
      field.focus();
      if (code) scanned(code);
    } else if (action.startsWith('remove-')) {
      event.preventDefault();
      rowOf(action.slice('remove-'.length))?.remove();
      changed();
      form.querySelector('[name="code"]').focus();
    }
  });

  return (part) => {
    const row = rowOf(part.sku) ?? draw({ ...part, quantity: 0 });
    const pieces = row.querySelector('[name="quantity"]');
    pieces.value = whole(pieces) + 1;
    changed();
    hit(row, part.name, pieces.value);
  };
}

// Pieces of parts that are there already. The first scan begins to count from zero.
function count(form) {
  const fields = [...form.querySelectorAll('[data-count]')];
  let counting = false;
  // A scan passes through the field in use, so that an input event there says nothing; a value that stayed does.
  const isUntouched = () => fields.every((field) => field.value === field.defaultValue);
  return (part, code) => {
    const row = rowOf(part.sku);
    if (!row) {
      warn(root.dataset.other, { name: part.name, code });
      return;
    }
    if (!counting && isUntouched()) {
      for (const field of fields) field.value = '0';
    }
    counting = true;
    const pieces = row.querySelector('[data-count]');
    if (whole(pieces) >= Number(pieces.dataset.most)) {
      warn(root.dataset.over, { name: part.name, n: pieces.dataset.most });
      return;
    }
    pieces.value = whole(pieces) + 1;
    hit(row, part.name, pieces.value);
  };
}

const open = (part) => {
  tone('hit');
  location.assign(`/stock/${encodeURIComponent(part.sku)}`);
};

let take = open;

function scanned(code) {
  queue = queue.then(async () => {
    try {
      const part = await look(code);
      if (part) take(part, code);
      else warn(root.dataset.unknown, { code });
    } catch {
      warn(root.dataset.unreached, { code });
    }
  });
}

for (const saved of document.querySelectorAll('[data-clears]')) sessionStorage.removeItem(keptAt(saved.dataset.clears));

if (root) {
  if (root.dataset.scan === 'list') take = list(root);
  if (root.dataset.scan === 'count') take = count(root);
  document.addEventListener('scan', (event) => scanned(event.detail.code));
}

// Arrows go up and down the list; the row's own link is what they reach.
addEventListener('keydown', (event) => {
  if (event.defaultPrevented || !['ArrowDown', 'ArrowUp'].includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target instanceof HTMLElement && event.target.matches('input, select, textarea')) return;
  const links = [...document.querySelectorAll('[data-rows] a[data-row]')];
  if (links.length === 0) return;
  event.preventDefault();
  const at = links.findIndex((link) => link.closest('tr').contains(document.activeElement));
  const next = event.key === 'ArrowDown' ? Math.min(at + 1, links.length - 1) : Math.max(at - 1, 0);
  links[next].focus();
});
