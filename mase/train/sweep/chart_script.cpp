// SVG by hand: a frame, ticks at round numbers, polylines, dots, error bars. Colours and fonts are
// classes of the page (`c0`, `c1`, ..., `axis`, `grid`), so that it may be dark or light.
#include "mase/train/sweep/chart_script.h"

namespace mase::train {

std::string_view chart_script() {
  return R"js(
const charts = JSON.parse(document.getElementById('charts')?.textContent ?? '[]');
const hidden = new Set();
const owner = (line, point) => point[3] ?? line.configuration;
const shown = (chart, line, point) => point[0] !== null && point[1] !== null &&
  !hidden.has(owner(line, point)) && (!chart.logX || point[0] > 0) && (!chart.logY || point[1] > 0);

function element(parent, name, attributes = {}, text = '') {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== '') made.textContent = text;
  parent?.append(made);
  return made;
}

// What an axis spans: the values that are shown, and a little room around them.
function span(values, log) {
  let low = Infinity, high = -Infinity;
  for (const value of values) { low = Math.min(low, value); high = Math.max(high, value); }
  if (low > high) return null;
  if (log) {
    const factor = low === high ? 2 : (high / low) ** 0.04;
    return { low: low / factor, high: high * factor, log };
  }
  const margin = low === high ? Math.max(Math.abs(low) * 0.1, 0.05) : (high - low) * 0.04;
  return { low: low - margin, high: high + margin, log };
}

function place(axis, value, from, to) {
  const share = axis.log ? Math.log(value / axis.low) / Math.log(axis.high / axis.low)
                         : (value - axis.low) / (axis.high - axis.low);
  return from + share * (to - from);
}

// Round numbers; on a logarithmic axis powers of ten, with 2 and 5 between where there are few.
function roundTicks(axis, count) {
  const out = [];
  if (axis.log) {
    const decades = Math.log10(axis.high / axis.low);
    const steps = decades >= 3 ? [1] : decades >= 0.7 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9];
    const every = Math.max(1, Math.floor(decades / count));
    for (let power = Math.floor(Math.log10(axis.low)); power <= Math.log10(axis.high); power += every) {
      for (const step of steps) out.push(Number((step * 10 ** power).toPrecision(3)));
    }
  } else {
    const rough = (axis.high - axis.low) / count, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].find(s => s * power >= rough) * power;
    for (let i = Math.ceil(axis.low / step); i * step <= axis.high; ++i) {
      out.push(Number((i * step).toPrecision(12)));
    }
  }
  return out.filter(value => value >= axis.low && value <= axis.high);
}

function tickText(value) {
  const size = Math.abs(value);
  return value !== 0 && (size < 1e-3 || size >= 1e6)
    ? value.toExponential().replace('e+', 'e') : String(Number(value.toPrecision(4)));
}

function drawAxes(svg, chart, x, y, box) {
  const wanted = Math.max(3, Math.round((box.right - box.left) / 70));
  const given = (chart.ticks ?? []).filter(v => v >= x.low && v <= x.high);
  let last = -Infinity;
  // Curves share a scale, and have whole epochs below.
  const round = roundTicks(x, wanted).filter(value => !chart.scale || Number.isInteger(value));
  for (const value of given.length > 1 ? given : round) {
    const at = place(x, value, box.left, box.right), text = tickText(value);
    element(svg, 'line', { class: 'grid', x1: at, x2: at, y1: box.top, y2: box.bottom });
    if (at - last < 7 * text.length + 8) continue;
    element(svg, 'text', { class: 'x tick', x: at, y: box.bottom + 17, 'text-anchor': 'middle' }, text);
    last = at;
  }
  for (const value of roundTicks(y, 6)) {
    const at = place(y, value, box.bottom, box.top);
    element(svg, 'line', { class: 'grid', x1: box.left, x2: box.right, y1: at, y2: at });
    element(svg, 'text', { class: 'y tick', x: box.left - 7, y: at + 4, 'text-anchor': 'end' },
            tickText(value));
  }
  element(svg, 'rect', { class: 'axis', x: box.left, y: box.top, width: box.right - box.left,
                         height: box.bottom - box.top });
  element(svg, 'text', { class: 'title', x: box.left, y: 20 }, chart.title);
  element(svg, 'text', { x: (box.left + box.right) / 2, y: box.bottom + 40, 'text-anchor': 'middle' },
          chart.x + (chart.logX ? ' (logarithmic)' : ''));
  element(svg, 'text', { transform: `translate(14,${(box.top + box.bottom) / 2}) rotate(-90)`,
                         'text-anchor': 'middle' }, chart.y + (chart.logY ? ' (logarithmic)' : ''));
}

const colourOf = configuration => configuration < 0 ? 'several' : `c${configuration}`;

function drawLine(svg, chart, line, x, y, box) {
  const group = element(svg, 'g', { class: colourOf(line.configuration) + (line.bold ? ' bold' : '') });
  if (line.title) element(group, 'title', {}, line.title);
  let path = '', down = false, count = 0;
  for (const point of line.points) {
    const gap = point[0] === null || point[1] === null;
    if (gap || !shown(chart, line, point)) { down = down && !gap; continue; }
    path += `${down ? 'L' : 'M'}${place(x, point[0], box.left, box.right).toFixed(1)} ` +
            place(y, point[1], box.bottom, box.top).toFixed(1);
    down = true;
    ++count;
  }
  if (line.joined && count > 1) element(group, 'path', { d: path });
  for (const point of line.points) {
    if (!shown(chart, line, point)) continue;
    const cx = place(x, point[0], box.left, box.right), colour = colourOf(owner(line, point));
    const spread = point[2] ?? 0;
    if (spread > 0 && !(chart.logY && point[1] <= spread)) {
      element(group, 'path', { class: colour, d: `M${cx.toFixed(1)} ` +
        `${place(y, point[1] - spread, box.bottom, box.top).toFixed(1)}V` +
        place(y, point[1] + spread, box.bottom, box.top).toFixed(1) });
    }
    if (!line.marks && count > 1) continue;
    element(group, 'circle', { class: colour, cx: cx.toFixed(1),
      cy: place(y, point[1], box.bottom, box.top).toFixed(1), r: line.bold ? 4 : 2.5 });
  }
}

function* values(chart, of) {
  for (const line of chart.lines) {
    for (const point of line.points) {
      if (!shown(chart, line, point)) continue;
      if (of === 'x') { yield point[0]; continue; }
      const spread = point[2] ?? 0;
      yield point[1] + spread;
      yield chart.logY && point[1] <= spread ? point[1] : point[1] - spread;
    }
  }
}

function draw(holder) {
  const chart = charts[holder.dataset.chart];
  const alike = charts.filter(other => other === chart || (chart.scale && other.scale === chart.scale));
  const x = span(values(chart, 'x'), chart.logX);
  const y = span(alike.flatMap(other => [...values(other, 'y')]), chart.logY);
  const width = Math.max(260, Math.floor(holder.clientWidth || 620)), height = width < 420 ? 280 : 340;
  const svg = element(null, 'svg', { viewBox: `0 0 ${width} ${height}`, role: 'img',
                                     'aria-label': chart.title });
  const box = { left: 64, right: width - 14, top: 34, bottom: height - 50 };
  if (x && y) {
    drawAxes(svg, chart, x, y, box);
    for (const bold of [false, true]) {
      for (const line of chart.lines) if (line.bold === bold) drawLine(svg, chart, line, x, y, box);
    }
  } else {
    element(svg, 'text', { class: 'title', x: box.left, y: 20 }, chart.title);
    element(svg, 'text', { x: width / 2, y: height / 2, 'text-anchor': 'middle' }, 'all are hidden');
  }
  holder.replaceChildren(svg);
}

const drawAll = () => document.querySelectorAll('[data-chart]').forEach(draw);
const switches = [...document.querySelectorAll('button[data-configuration]')];
function hide(button, off) {
  const configuration = Number(button.dataset.configuration);
  if (off) hidden.add(configuration); else hidden.delete(configuration);
  button.setAttribute('aria-pressed', String(!off));
}
for (const button of switches) {
  button.addEventListener('click', () => {
    hide(button, button.getAttribute('aria-pressed') === 'true');
    drawAll();
  });
}
for (const button of document.querySelectorAll('button[data-all]')) {
  button.addEventListener('click', () => {
    switches.forEach(each => hide(each, button.dataset.all === 'hide'));
    drawAll();
  });
}
let width = window.innerWidth;
window.addEventListener('resize', () => {
  if (width !== window.innerWidth) { width = window.innerWidth; drawAll(); }
});
drawAll();
)js";
}

}  // namespace mase::train
