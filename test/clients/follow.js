// follow calls deliver(channel, text) for every message on the channels, each once and
// in order, over all that happens to the connection. missed(channel, why) says that
// something before the next message is gone for good.
function follow(url, channels, deliver, missed) {
  const at = new Map(channels.map((channel) => [channel, ''])); // where we are; '' is from now on
  let wait = 500; // ms

  function connect() {
    const query = new URLSearchParams();
    for (const [channel, position] of at) {
      query.append('channel', channel);
      query.append('since', position);
    }
    const ws = new WebSocket(`${url}?${query}`);
    ws.onmessage = ({ data }) => {
      const end = data.indexOf('\n');
      const head = JSON.parse(end < 0 ? data : data.slice(0, end));
      if (end >= 0) { // a message
        if (head.lost) missed(head.channel, head.lost > 0 ? `${head.lost} messages are lost` : 'messages may be lost');
        if (head.position) at.set(head.channel, head.position);
        deliver(head.channel, data.slice(end + 1));
      } else if (head.subscribed) { // what follows comes after head.position
        if (!head.recovered) missed(head.subscribed, head.reason);
        at.set(head.subscribed, head.position);
        wait = 500;
      }
    };
    ws.onclose = () => {
      setTimeout(connect, wait * (0.5 + Math.random())); // not all clients at once
      wait = Math.min(2 * wait, 30000);
    };
  }
  connect();
}
