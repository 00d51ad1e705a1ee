// Feeds htmx with what happens: each named event becomes a DOM event on body (hx-trigger="orders-changed
// from:document"), an "html" event brings partials. After a gap a "resync" event says: ask again for what you show.
import { LiveSource } from './live-source.js';

const meta = document.querySelector('meta[name="counterpart-live"]');
const SLOW_MS = 4_000;
let leave = () => {};
let timer = 0;
let wasDown = false;

function line(up) {
  const notice = document.getElementById('line-lost');
  clearTimeout(timer);
  if (up) {
    if (notice) notice.hidden = true;
    if (wasDown) htmx.trigger(document.body, 'resync', {});
  } else {
    timer = setTimeout(() => {
      if (notice) notice.hidden = false;
    }, SLOW_MS);
  }
  wasDown = !up;
}

function take(message) {
  if (message.kind === 'line') {
    line(message.up);
    return;
  }
  const detail = JSON.parse(message.data);
  if (message.name === 'html') {
    htmx.swap({ sourceElement: document.body, target: document.body, swap: 'none', text: detail.html });
  } else {
    htmx.trigger(document.body, message.name, detail);
  }
}

function join() {
  const url = meta.content;
  const names = ['html', 'resync', ...meta.dataset.names.split(' ').filter(Boolean)];
  if ('SharedWorker' in window) {
    const { port } = new SharedWorker(meta.dataset.worker, { type: 'module', name: 'live' });
    port.onmessage = ({ data }) => take(data);
    port.postMessage({ kind: 'hello', url, names });
    leave = () => port.postMessage({ kind: 'bye' });
  } else {
    const source = new LiveSource(url, take);
    source.listen(names);
    leave = () => source.close();
  }
}

if (meta) {
  join();
  addEventListener('pagehide', () => leave());
  // A page that comes back from the back/forward cache has left already and shows old state.
  addEventListener('pageshow', (event) => {
    if (event.persisted) {
      wasDown = true;
      join();
    }
  });
}
