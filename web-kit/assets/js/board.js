// The board by keys and by pointer. Nothing moves before the server says so: a card that may not go stays where it
// is. Arrows choose a card, digits move it, M shows where it may go; the mouse drags. Touch uses the card's menu, for
// there a drag scrolls.
import { tone } from './scan.js';

const START_PX = 6;
const EDGE_PX = 48;
const board = () => document.getElementById('board');
const may = () => board()?.hasAttribute('data-moves');
const lanes = () => [...board().querySelectorAll('.lane:not(.shut)')];
const cards = (lane) => [...lane.querySelectorAll('.job')];
const link = (card) => card?.querySelector('h3 a');
const card = (id) => id && document.getElementById(`job-${id}`);
const chosen = () => document.activeElement?.closest?.('#board .job') ?? card(wanted);

let wanted = ''; // the order whose card has or should get the focus
let drag = null;
let wasDragged = false;
let isStale = false;
const moving = new Set();

function choose(next) {
  if (!next) return;
  wanted = next.dataset.order;
  link(next).focus({ preventScroll: true });
  next.scrollIntoView({ block: 'nearest', inline: 'nearest' });
}

function step(key) {
  const now = chosen();
  const all = lanes();
  if (!now) {
    choose(all.flatMap(cards)[0]);
    return;
  }
  const lane = now.closest('.lane');
  const place = cards(lane).indexOf(now);
  if (key === 'ArrowUp' || key === 'ArrowDown') {
    choose(cards(lane)[place + (key === 'ArrowUp' ? -1 : 1)]);
    return;
  }
  const way = key === 'ArrowLeft' ? -1 : 1;
  for (let at = all.indexOf(lane) + way; at >= 0 && at < all.length; at += way) {
    const there = cards(all[at]);
    if (there.length) {
      choose(there[Math.min(place, there.length - 1)]);
      return;
    }
  }
}

// crypto.randomUUID does not exist on plain http://name.
const formKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

function move(what, lane) {
  const id = what?.dataset.order;
  if (id && lane === 'collected' && what.dataset.pay) {
    location.assign(what.dataset.pay);
    return;
  }
  if (!id || moving.has(id) || what.closest('.lane').dataset.lane === lane) return;
  wanted = id;
  const back = board().dataset.back;
  if (lane === 'ready') {
    htmx.ajax('GET', `/orders/${id}/move?to=ready&back=${back}`, { source: '#mover', target: '#dialog', swap: 'innerHTML' });
    return;
  }
  moving.add(id);
  what.setAttribute('data-ui-held', '');
  const values = { key: formKey(), to: lane, back };
  htmx.ajax('POST', `/orders/${id}/status`, { source: '#mover', target: '#toasts', swap: 'none', values });
}

document.addEventListener('htmx:finally:request', (event) => {
  if (event.detail?.ctx?.sourceElement?.id !== 'mover') return;
  moving.clear();
  for (const held of board()?.querySelectorAll('[data-ui-held]') ?? []) held.removeAttribute('data-ui-held');
});

// The card that was moved keeps the focus wherever it lands, unless somebody is elsewhere by now.
document.addEventListener('htmx:after:swap', () => {
  if (!wanted || document.querySelector('dialog[open]')) return;
  if (document.activeElement === document.body || document.activeElement === null) link(card(wanted))?.focus({ preventScroll: true });
});

// A board that changes under the pointer would let go of the card: it is asked again when the card is down.
document.addEventListener('htmx:before:request', (event) => {
  if (!drag?.ghost || event.detail?.ctx?.sourceElement?.id !== 'board') return;
  isStale = true;
  event.preventDefault();
});

const typing = (target) => target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select'));

addEventListener('keydown', (event) => {
  if (!board() || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === 'Escape' && drag) {
    drop(null);
    return;
  }
  if (typing(event.target) || document.querySelector('dialog[open]')) return;
  if (event.key.startsWith('Arrow')) {
    event.preventDefault();
    step(event.key);
  } else if (may() && /^[1-6]$/.test(event.key) && chosen()) {
    event.preventDefault();
    move(chosen(), lanes()[Number(event.key) - 1].dataset.lane);
  } else if (may() && event.key === '7' && chosen()) {
    event.preventDefault();
    move(chosen(), 'collected');
  } else if (may() && event.key.toLowerCase() === 'm' && chosen()) {
    event.preventDefault();
    wanted = chosen().dataset.order;
    chosen().querySelector('.job-menu')?.click();
  }
});

addEventListener('focusin', (event) => {
  const now = event.target instanceof Element && event.target.closest('#board .job');
  if (now) wanted = now.dataset.order;
});

function lift({ card: what, x, y }) {
  const box = what.getBoundingClientRect();
  const ghost = what.cloneNode(true);
  ghost.removeAttribute('id');
  ghost.setAttribute('aria-hidden', 'true');
  ghost.classList.add('job-ghost');
  ghost.style.setProperty('inline-size', `${box.width}px`);
  document.body.append(ghost);
  what.setAttribute('data-ui-held', '');
  document.documentElement.setAttribute('data-ui-dragging', '');
  drag.ghost = ghost;
  drag.dx = box.left - x;
  drag.dy = box.top - y;
}

function over(lane) {
  if (drag.lane === lane) return;
  drag.lane?.removeAttribute('data-ui-over');
  lane?.setAttribute('data-ui-over', '');
  drag.lane = lane;
}

function drop(lane) {
  const { id, ghost } = drag;
  if (ghost) {
    over(null);
    ghost.remove();
    document.documentElement.removeAttribute('data-ui-dragging');
    card(id)?.removeAttribute('data-ui-held');
    wasDragged = true;
    setTimeout(() => {
      wasDragged = false;
    });
  }
  drag = null;
  if (ghost && lane) move(card(id), lane.dataset.lane);
  if (isStale) {
    isStale = false;
    htmx.trigger(document.body, 'orders-changed', {});
  }
}

addEventListener('pointerdown', (event) => {
  if (!may() || event.button !== 0 || event.pointerType === 'touch' || !(event.target instanceof Element)) return;
  const what = event.target.closest('#board .job');
  if (!what || event.target.closest('.job-menu')) return;
  drag = { card: what, id: what.dataset.order, x: event.clientX, y: event.clientY, ghost: null, lane: null };
});

addEventListener('pointermove', (event) => {
  if (!drag) return;
  if (!drag.ghost) {
    if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < START_PX) return;
    lift(drag);
  }
  drag.ghost.style.setProperty('translate', `${event.clientX + drag.dx}px ${event.clientY + drag.dy}px`);
  over(document.elementFromPoint(event.clientX, event.clientY)?.closest('#board [data-lane]') ?? null);
  const box = board().getBoundingClientRect();
  if (event.clientX > box.right - EDGE_PX) board().scrollBy(12, 0);
  if (event.clientX < box.left + EDGE_PX) board().scrollBy(-12, 0);
});

addEventListener('pointerup', () => drag && drop(drag.lane));
addEventListener('pointercancel', () => drag && drop(null));
addEventListener('click', (event) => {
  if (!wasDragged) return;
  event.preventDefault();
  event.stopPropagation();
}, { capture: true });
addEventListener('dragstart', (event) => event.target instanceof Element && event.target.closest('#board') && event.preventDefault());

// A scanned label chooses its card; one that is not on the board opens its order.
document.addEventListener('scan', (event) => {
  if (event.defaultPrevented) return;
  const code = event.detail.code.trim().toUpperCase();
  const found = [...board().querySelectorAll('.job')].find((there) => there.dataset.number === code);
  event.preventDefault();
  if (!found) {
    location.assign(`/orders?q=${encodeURIComponent(code)}`);
    return;
  }
  tone('hit');
  choose(found);
});
