// An echo server with ws, which broadcasts what is POSTed to it:
// server.js [PEM file with certificate and key]
'use strict';
const fs = require('fs');
const { WebSocket, WebSocketServer } = require('ws');

const pem = process.argv[2] && fs.readFileSync(process.argv[2]);
const server = pem
  ? require('https').createServer({ cert: pem, key: pem })
  : require('http').createServer();
const wss = new WebSocketServer({ server, perMessageDeflate: true });

wss.on('connection', (ws) => {
  ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
});
server.on('request', async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  for (const client of wss.clients) {
    if (client.readyState === WebSocket.OPEN) client.send(Buffer.concat(chunks).toString());
  }
  response.writeHead(204).end();
});
server.listen(0, '127.0.0.1', () => console.log('port', server.address().port));
