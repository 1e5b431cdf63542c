// Style sheet and script of a page. Nothing is loaded from elsewhere.
#include "mase/train/sweep/page.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <iterator>

#include "mase/support/markup.h"
#include "mase/train/sweep/chart_script.h"

namespace mase::train {
namespace {

// Told apart also by people who see few colours, on white and on black (P. Tol's bright set).
constexpr std::array<std::string_view, 8> kColours = {"#4a8fd6", "#ee6677", "#228833", "#ccaa22",
                                                      "#33aadd", "#aa3377", "#ee8844", "#889999"};

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --back: #fff; --text: #1b1f24; --soft: #5c6670; --rule: #d8dde2;
  --grid: #e9ecef; --mark: #fff3c4; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --back: #14171a; --text: #e6e9ec; --soft: #9aa4ae;
  --rule: #3a4148; --grid: #262b30; --mark: #4a3f10; --bad: #ff8a80; } }
body { margin: 2rem auto; max-width: 1320px; padding: 0 1rem; background: var(--back);
  color: var(--text); font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .6rem; }
p, figcaption { color: var(--soft); margin: .2rem 0; } a { color: inherit; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 480px), 1fr));
  gap: 1.2rem; } figure { margin: 0; }
figure { min-height: 280px; }
svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--soft); font: 12px system-ui, sans-serif; }
svg text.title { fill: var(--text); font-weight: 600; font-size: 14px; }
svg .grid { stroke: var(--grid); } svg .axis { fill: none; stroke: var(--rule); }
svg .several { --c: var(--soft); }
svg g path { fill: none; stroke: var(--c); stroke-width: 1; opacity: .4; }
svg g circle { fill: var(--c); opacity: .55; }
svg g.bold path { stroke-width: 2.6; opacity: 1; } svg g.bold circle { opacity: 1; }
svg g.several.bold > path:not([class]) { stroke-width: 1.2; opacity: .6; }
.legend { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: .2rem .4rem;
  max-height: 25vh; overflow-y: auto; margin: .8rem 0; padding: .4rem 0; font-size: 13px;
  background: var(--back); border-bottom: 1px solid var(--rule); }
.legend button { font: inherit; color: inherit; background: none; cursor: pointer;
  border: 1px solid var(--rule); border-radius: 4px; padding: .1rem .5rem; }
.legend button[aria-pressed=false] { opacity: .45; text-decoration: line-through; }
.swatch { display: inline-block; width: 1.1em; height: .7em; background: var(--c);
  vertical-align: baseline; border-radius: 2px; }
.legend .swatch { margin-right: .4em; }
summary h2 { display: inline-block; margin: 1.6rem 0 .4rem; } summary { cursor: pointer; }
dl { columns: 16rem; margin: 0; font-size: 14px; } dl div { break-inside: avoid; }
dt { display: inline; color: var(--soft); } dt::after { content: ": "; }
dd { display: inline; margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 14px; }
th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--rule); text-align: right;
  white-space: nowrap; } td.text { text-align: left; max-width: 22rem; overflow: hidden;
  text-overflow: ellipsis; }
th { cursor: pointer; color: var(--soft); font-weight: 600; user-select: none; }
th.up::after { content: " \25b2"; } th.down::after { content: " \25bc"; }
td small { display: block; color: var(--soft); }
tr.best td { background: var(--mark); } .failed { color: var(--bad); }
)";

constexpr std::string_view kScript = R"(
for (const table of document.querySelectorAll('table.sortable')) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.addEventListener('click', () => {
    const down = head.classList.contains('up');
    heads.forEach(h => h.classList.remove('up', 'down'));
    head.classList.add(down ? 'down' : 'up');
    const key = row => row.cells[column].dataset.value ?? row.cells[column].textContent;
    const rows = [...table.tBodies[0].rows].sort((a, b) => {
      const x = key(a), y = key(b);
      if (x === '' || y === '') return (x === '') - (y === '');
      const numbers = x !== '' && y !== '' && !isNaN(x) && !isNaN(y);
      return (numbers ? x - y : x.localeCompare(y)) * (down ? -1 : 1);
    });
    table.tBodies[0].append(...rows);
  }));
}
)";

std::string colour(int i) {
  if (i < static_cast<int>(kColours.size()))
    return std::string(kColours[static_cast<std::size_t>(i)]);
  return fmt::format("hsl({:.0f} 60% 55%)", std::fmod(i * 137.5, 360.0));  // far from each other
}

}  // namespace

std::string html_page(std::string_view title, std::string_view body, int colours,
                      const std::vector<Chart>& charts) {
  std::string classes;
  for (int i = 0; i < colours; ++i) {
    fmt::format_to(std::back_inserter(classes), ".c{} {{ --c: {}; }}\n", i, colour(i));
  }
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}</title>\n<style>{}{}</style>\n</head>\n<body>\n{}"
      "<script type=\"application/json\" id=\"charts\">{}</script>\n"
      "<script>{}{}</script>\n</body>\n</html>\n",
      markup_text(title), kStyle, classes, body, charts_json(charts), kScript, chart_script());
}

}  // namespace mase::train
