// Node's ws against a node: one echo, then one broadcast.
const WebSocket = require('ws');

const ws = new WebSocket(process.argv[2]);
let left = 2;
ws.on('open', () => ws.send('hi'));
ws.on('message', (m) => {
  console.log(m.toString());
  if (--left === 0) ws.close();
});
ws.on('error', (e) => {
  console.error(e.message);
  process.exit(1);
});
setTimeout(() => process.exit(1), 60000).unref();
