
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const points = data.timeline;
  const colours = { blue: "#2563eb", green: "#0f8a5f", orange: "#d97706", red: "#c0262d", violet: "#7c3aed", teal: "#0891b2", grey: "#8795a5" };
  const cycle = ["#0f8a5f", "#d97706", "#7c3aed", "#0891b2", "#be185d", "#65a30d", "#475569", "#b45309"];
  const manyNodes = 6; // beyond so many the nodes are shown as their sum

  // Figures

  const short = (v) => { // 12,345 or 1.2 M
    const size = Math.abs(v);
    if (size >= 1e6) return +(v / 1e6).toPrecision(3) + " M";
    return (size >= 100 || Number.isInteger(v) ? Math.round(v) : +v.toPrecision(3)).toLocaleString("en-US");
  };
  const seconds = (v) => {
    if (v === 0) return "0";
    if (v < 0.0009995) return Math.round(v * 1e6) + " µs";
    if (v < 0.9995) return +(v * 1e3).toPrecision(3) + " ms";
    return +v.toPrecision(3) + " s";
  };
  const bytes = (v) => {
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let i = 0;
    while (i < units.length - 1 && v >= 1024) { v /= 1024; i++; }
    return +v.toPrecision(3) + " " + units[i];
  };
  const last = points.length ? points[points.length - 1].t : 0;
  const clock = (t) => {
    const two = (n) => String(n).padStart(2, "0");
    if (last < 180) return +t.toFixed(1) + " s";
    const s = Math.round(t);
    const h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
    return h ? h + ":" + two(m) + ":" + two(s % 60) : m + ":" + two(s % 60);
  };

  // Columns of the timeline. A column has null where nothing is known or nothing
  // was measured.

  const column = (f) => points.map((p, i) => { const v = f(p, i); return v === undefined ? null : v; });
  const perSecond = (f) => column((p) => Math.max(f(p) || 0, 0) / p.interval);
  const times = (key, quantile) => column((p) => (p[key] && p[key].max > 0 ? Math.max(p[key][quantile], 1e-6) : null));
  const any = (values) => values.some((v) => v !== null && v !== 0);
  const known = (values) => values.some((v) => v !== null);

  // phases are the stretches of the run that have a name.
  const phases = data.phases.map((p, i) => ({ name: p.name, from: p.start, to: i + 1 < data.phases.length ? data.phases[i + 1].start : last }));

  // Drawing

  // Phases are bands behind the grid, with their names before it.
  const onEachPhase = (u, draw) => {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.font = 11 * devicePixelRatio + "px system-ui, sans-serif";
    ctx.textBaseline = "top";
    ctx.textAlign = "left";
    phases.forEach((phase, i) => {
      const from = Math.max(u.valToPos(phase.from, "x", true), bbox.left);
      const to = Math.min(u.valToPos(phase.to, "x", true), bbox.left + bbox.width);
      if (to > from) draw(ctx, bbox, phase.name, from, to, i);
    });
    ctx.restore();
  };
  const phaseBands = {
    hooks: {
      drawClear: (u) => onEachPhase(u, (ctx, bbox, name, from, to, i) => {
        ctx.fillStyle = i % 2 ? "#f3f6fa" : "#fbfcfe";
        ctx.fillRect(from, bbox.top, to - from, bbox.height);
      }),
      draw: (u) => onEachPhase(u, (ctx, bbox, name, from, to) => {
        const pad = 3 * devicePixelRatio;
        const width = ctx.measureText(name).width;
        if (width + 4 * pad > to - from) return;
        ctx.fillStyle = "#ffffffcc";
        ctx.fillRect(from + pad, bbox.top + pad, width + 2 * pad, 12 * devicePixelRatio);
        ctx.fillStyle = "#7a8898";
        ctx.fillText(name, from + 2 * pad, bbox.top + pad);
      }),
    },
  };

  // line is a series; first is its value when the run began.
  const line = (label, colour, values, extra) => Object.assign({
    label, values, first: null, stroke: colour, width: 1.75, spanGaps: false,
    points: { show: values.filter((v) => v !== null).length < 40, size: 5, fill: colour },
  }, extra);
  const dashed = { dash: [6, 4], width: 1.25, points: { show: false }, always: true };
  const area = (colour) => ({ fill: colour + "1f", first: 0 });

  const plots = [];
  const root = document.getElementById("charts");

  // chart adds a card. A chart without anything to show is left out, or says so.
  function chart(id, title, unit, format, lines, options = {}) {
    lines = lines.filter((l) => (options.log ? known(l.values) : any(l.values)));
    const shown = lines.some((l) => !l.always && known(l.values));
    if (!shown && !options.nothing) return;
    const card = document.createElement("div");
    card.className = "chart";
    card.id = "chart-" + id;
    const heading = document.createElement("h3");
    heading.textContent = title;
    const note = document.createElement("span");
    note.textContent = unit;
    heading.append(note);
    card.append(heading);
    root.append(card);
    if (!shown) {
      const text = document.createElement("p");
      text.className = "nothing";
      text.textContent = options.nothing;
      card.className += " quiet";
      card.append(text);
      return;
    }
    const axis = { stroke: "#5b6b7b", font: "12px system-ui, sans-serif", grid: { stroke: "#e6ebf1", width: 1 }, ticks: { stroke: "#cbd5e0", width: 1, size: 5 } };
    const width = () => card.clientWidth - 24;
    const plot = new uPlot({
      width: width(), height: 240,
      plugins: [phaseBands],
      cursor: { sync: { key: "wsload" }, drag: { x: true, y: false } },
      scales: {
        x: { time: false, range: (u, min, max) => [Math.max(0, min), max] },
        y: options.log
          ? { distr: 3, range: (u, min, max) => [10 ** Math.floor(Math.log10(min)), 10 ** Math.ceil(Math.log10(max * 1.0001))] }
          : { range: (u, min, max) => [0, max > 0 ? max * 1.12 : 1] },
      },
      axes: [
        { ...axis, values: (u, ticks) => ticks.map(clock), space: 60, size: 34 },
        { ...axis, values: (u, ticks) => ticks.map((v) => (v === null ? "" : format(v))), size: 72, space: 34, incrs: options.incrs },
      ],
      series: [
        { label: "time", value: (u, v) => (v === null ? "–" : clock(v)) },
        ...lines.map(({ values, first, own, always, ...s }) => ({ ...s, value: (u, v, series, i) => {
          const shownValue = own && i > 0 ? own[i - 1] : v;
          return shownValue === null || shownValue === undefined ? "–" : format(shownValue);
        } })),
      ],
    }, [[points[0].t - points[0].interval, ...points.map((p) => p.t)], ...lines.map((l) => [l.first, ...l.values])], card);
    plots.push({ plot, width });
  }

  const constant = (value, from, to) => column((p) => (p.t > from && p.t - p.interval < to ? value : null));
  const stretch = (f) => { // from the first point that has something to the last one
    const active = points.filter((p) => f(p) > 0);
    return active.length ? [active[0].t - active[0].interval, active[active.length - 1].t] : [0, 0];
  };
  const nodeSum = (key) => column((p) => {
    const found = (p.nodes || []).map((n) => n && n[key]).filter((v) => v !== null && v !== undefined);
    return found.length && found.length === data.nodes.length ? found.reduce((a, b) => a + b, 0) : null;
  });
  const nodeLines = (key) => {
    if (data.nodes.length === 1) return [line("server", colours.green, nodeSum(key))];
    const lines = [line("all " + data.nodes.length + " servers", colours.green, nodeSum(key))];
    if (data.nodes.length > manyNodes) return lines;
    return lines.concat(data.nodes.map((url, i) => line(new URL(url).host, cycle[(i + 1) % cycle.length],
      column((p) => (p.nodes && p.nodes[i] ? p.nodes[i][key] : null)), { width: 1 })));
  };

  if (points.length) {
    const connecting = (p) => p.connected;
    chart("connections", "Connections", "open at the same time", short, [
      line("open", colours.blue, column((p) => p.open), area(colours.blue)),
      line("planned", colours.grey, column(() => data.planned), { ...dashed, first: data.planned }),
      ...(data.nodes.length ? [line("as the servers count them", colours.green, nodeSum("connections"), dashed)] : []),
    ]);
    chart("connect-rate", "Connection rate", "per second", short, [
      line("connected", colours.blue, perSecond(connecting), area(colours.blue)),
      line("failed", colours.red, perSecond((p) => p.failed)),
      line("intended", colours.grey, constant(data.connect_rate, ...stretch((p) => p.started)), dashed),
    ]);
    const latency = (id, title, key, more = []) => chart(id, title, "logarithmic", seconds, [
      line("p50", colours.green, times(key, "p50")),
      line("p90", colours.blue, times(key, "p90")),
      line("p99", colours.orange, times(key, "p99")),
      line("max", colours.red, times(key, "max"), { width: 1 }),
      ...more,
    ], { log: true });
    latency("connect", "Time to connect", "connect");
    latency("handshake", "Time of the handshake", "handshake");
    chart("reconnect-rate", "Reconnections", "per second", short, [
      line("cut", colours.red, perSecond((p) => p.reconnect && p.reconnect.cut)),
      line("back", colours.blue, perSecond((p) => p.reconnect && p.reconnect.ok), area(colours.blue)),
    ]);
    latency("reconnect", "Time to be back", "reconnect");
    chart("echo-rate", "Echoes", "per second", short, [
      line("right", colours.blue, perSecond((p) => p.echo && p.echo.ok), area(colours.blue)),
      line("wrong or missing", colours.red, perSecond((p) => p.echo && p.echo.bad)),
      line("intended", colours.grey, constant(data.echo_rate, ...stretch((p) => (p.echo ? p.echo.sent : 0))), dashed),
    ]);
    latency("echo", "Latency of echoes", "echo", [
      line("p99, closed loop", colours.grey, column((p) => (p.echo && p.echo.service ? Math.max(p.echo.service.p99, 1e-6) : null)), { ...dashed, always: false }),
    ]);
    chart("broadcast-rate", "Broadcasts delivered", "per second", short, [
      line("delivered", colours.blue, perSecond((p) => p.broadcast && p.broadcast.delivered), area(colours.blue)),
    ]);
    latency("broadcast", "Latency of broadcasts", "broadcast");
    chart("memory", "Memory", "resident", bytes, [
      line("generator", colours.blue, column((p) => p.generator.memory_bytes)),
      ...nodeLines("memory_bytes"),
    ], { incrs: Array.from({ length: 40 }, (_, i) => 2 ** (i + 4)) });
    chart("cpu", "CPU", "cores in use", short, [
      line("generator", colours.blue, column((p) => p.generator.cpu)),
      ...nodeLines("cpu"),
    ]);

    // Failures are stacked: each class is drawn over the sum of those below it.
    const found = new Map();
    const groups = { failures: "", closed: "closed.", close_failures: "close.", reconnect_failures: "reconnect." };
    points.forEach((p) => Object.entries(groups).forEach(([key, prefix]) => Object.entries(p[key] || {}).forEach(([name, n]) =>
      found.set(prefix + name, (found.get(prefix + name) || 0) + Math.max(n, 0)))));
    const classes = [...found.entries()].sort((a, b) => b[1] - a[1]).map(([name]) => name);
    const top = classes.slice(0, 7);
    const of = (p, name) => Object.entries(groups).reduce((sum, [key, prefix]) =>
      sum + (name.startsWith(prefix) ? Math.max((p[key] || {})[name.slice(prefix.length)] || 0, 0) : 0), 0);
    const bars = uPlot.paths.bars({ size: [0.8, 24] });
    const below = points.map(() => 0);
    const layer = (label, colour, f) => {
      const own = perSecond(f);
      own.forEach((v, i) => { below[i] += v; });
      return line(label, colour, below.slice(), { own, paths: bars, fill: colour, width: 0, points: { show: false } });
    };
    const layers = top.map((name, i) => layer(name, [colours.red, ...cycle][i], (p) => of(p, name)));
    if (classes.length > top.length) layers.push(layer("others", colours.grey, (p) => classes.slice(7).reduce((sum, name) => sum + of(p, name), 0)));
    chart("failures", "Failures by class", "per second, stacked", short, layers.reverse(), { nothing: "None: no connection failed, none was closed unexpectedly." });
  }

  addEventListener("resize", () => plots.forEach(({ plot, width }) => plot.setSize({ width: width(), height: 240 })));
  document.documentElement.dataset.drawn = String(plots.length);
})();
