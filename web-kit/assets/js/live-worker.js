// One event stream for all tabs of a browser: it opens six connections per host, so one stream for each tab would
// freeze the seventh. Pages say hello with the names they want and bye when they go.
import { LiveSource } from './live-source.js';

const ports = new Set();
let source = null;

const tell = (message) => {
  for (const port of ports) port.postMessage(message);
};

onconnect = ({ ports: [port] }) => {
  port.onmessage = ({ data }) => {
    if (data.kind === 'bye') {
      ports.delete(port);
      if (ports.size === 0) {
        source?.close();
        source = null;
      }
      return;
    }
    ports.add(port);
    source ??= new LiveSource(data.url, tell);
    source.listen(data.names);
    if (source.up !== null) port.postMessage({ kind: 'line', up: source.up });
  };
};
