// From the attributes of convolutions and poolings to tables of windows: per dimension of space the
// positions are grouped into stretches whose windows look alike, and patches are all pairs of
// stretches.
#include "mase/engine/native/plan_windows.h"

#include <fmt/format.h>

#include <algorithm>

#include "mase/ops/window.h"
#include "mase/support/error.h"

namespace mase::engine::native {
namespace {

// Above this many channels LibTorch's kernels come close to the machine's peak.
constexpr std::int64_t kMostChannels = 32;
// Taps of a table at most (128 MB): windows as large as an image, shifted over its padding, are all
// different.
constexpr std::int64_t kMostTaps = std::int64_t{1} << 24;

// One entry of a window along a dimension: its number in the kernel and its place in the input.
struct Entry {
  int kernel;
  int at;
};

struct Position {
  std::vector<Entry> entries;
  int divisor = 1;  // of averages
};

// Equally spaced positions whose windows are alike and equally spaced as well.
struct Stretch {
  int first;
  int step;
  int count;
  int base;  // place of the first entry
  int base_step;
  std::vector<Entry> entries;  // places relative to the base
  int divisor;
};

bool alike(const Stretch& stretch, const std::vector<Entry>& entries, int divisor) {
  return stretch.divisor == divisor &&
         std::equal(stretch.entries.begin(), stretch.entries.end(), entries.begin(), entries.end(),
                    [](Entry a, Entry b) { return a.kernel == b.kernel && a.at == b.at; });
}

std::vector<Stretch> stretches(const std::vector<Position>& positions, int period) {
  std::vector<Stretch> out;
  const int count = static_cast<int>(positions.size());
  for (int phase = 0; phase < std::min(period, count); ++phase) {
    const std::size_t start = out.size();
    for (int p = phase; p < count; p += period) {
      const Position& position = positions[static_cast<std::size_t>(p)];
      std::vector<Entry> entries = position.entries;
      const int base = entries.empty() ? 0 : entries[0].at;
      for (Entry& entry : entries) entry.at -= base;
      if (out.size() > start && alike(out.back(), entries, position.divisor)) {
        Stretch& last = out.back();
        const int step = base - (last.base + (last.count - 1) * last.base_step);
        if (last.count == 1) last.base_step = step;
        if (step == last.base_step) {
          ++last.count;
          continue;
        }
      }
      out.push_back({p, period, 1, base, 0, std::move(entries), position.divisor});
    }
  }
  return out;
}

// What each position of a window reads of `length` entries.
std::vector<Position> reads(const ops::Window& window, std::int64_t length, bool count_padding) {
  std::vector<Position> out;
  for (std::int64_t p = 0; p < window.positions(length); ++p) {
    Position position;
    const std::int64_t start = p * window.stride - window.before;
    for (std::int64_t k = 0; k < window.size; ++k) {
      const std::int64_t at = start + k * window.dilation;
      if (at < 0 || at >= length) continue;
      position.entries.push_back({static_cast<int>(k), static_cast<int>(at)});
    }
    const std::int64_t end = std::min(start + window.size, length + window.after);
    position.divisor =
        count_padding ? static_cast<int>(end - start) : static_cast<int>(position.entries.size());
    out.push_back(std::move(position));
  }
  return out;
}

// The transpose: which positions of the window read each of `length` entries.
std::vector<Position> read_by(const ops::Window& window, std::int64_t length) {
  std::vector<Position> out(static_cast<std::size_t>(length));
  const std::vector<Position> forward = reads(window, length, false);
  for (std::size_t p = 0; p < forward.size(); ++p) {
    for (const Entry& entry : forward[p].entries) {
      out[static_cast<std::size_t>(entry.at)].entries.push_back(
          {entry.kernel, static_cast<int>(p)});
    }
  }
  return out;
}

std::vector<Position> adaptive_reads(std::int64_t length, std::int64_t positions) {
  std::vector<Position> out;
  for (std::int64_t p = 0; p < positions; ++p) {
    Position position;
    const std::int64_t end = ((p + 1) * length + positions - 1) / positions;
    for (std::int64_t at = p * length / positions; at < end; ++at) {
      position.entries.push_back({0, static_cast<int>(at)});
    }
    position.divisor = static_cast<int>(position.entries.size());
    out.push_back(std::move(position));
  }
  return out;
}

// How the channels and rows of what is read, of what is written and of the weights lie.
struct Planes {
  int in_width;
  int out_width;
  int channels;  // read
  int in_area;
  int weight_row;
  int weight_channel;
};

Windows combine(const std::vector<Stretch>& rows, const std::vector<Stretch>& columns,
                const Planes& planes, int divisor_override) {
  Windows out;
  for (const Stretch& row : rows) {
    for (const Stretch& column : columns) {
      const int divisor = divisor_override ? divisor_override : row.divisor * column.divisor;
      Patch patch{.rows = row.count,
                  .columns = column.count,
                  .out = row.first * planes.out_width + column.first,
                  .out_row = row.step * planes.out_width,
                  .out_column = column.step,
                  .in = row.base * planes.in_width + column.base,
                  .in_row = row.base_step * planes.in_width,
                  .in_column = column.base_step,
                  .first_tap = static_cast<int>(out.taps.size()),
                  .taps = 0,
                  .factor = divisor ? 1.0f / static_cast<float>(divisor) : 0.0f};
      for (int c = 0; c < planes.channels; ++c) {
        for (const Entry& y : row.entries) {
          for (const Entry& x : column.entries) {
            out.taps.push_back(
                {c * planes.in_area + y.at * planes.in_width + x.at,
                 c * planes.weight_channel + y.kernel * planes.weight_row + x.kernel});
          }
        }
      }
      patch.taps = static_cast<int>(out.taps.size()) - patch.first_tap;
      out.patches.push_back(patch);
    }
  }
  return out;
}

// Throws Error{Unsupported} if tables of a node would have more entries than a table may.
void need_small_tables(const ir::Node& node, std::int64_t taps) {
  if (taps <= kMostTaps) return;
  unsupported(fmt::format("windows of {} entries, where LibTorch is the better choice (above {})",
                          taps, kMostTaps),
              {.node = node.name}, "use --engine torch");
}

// The same of all pairs of stretches, before they are made.
Windows combine_small(const ir::Node& node, const std::vector<Stretch>& rows,
                      const std::vector<Stretch>& columns, const Planes& planes, int divisor) {
  const auto entries = [](const std::vector<Stretch>& stretches) {
    std::int64_t sum = 0;
    for (const Stretch& stretch : stretches) sum += std::ssize(stretch.entries);
    return sum;
  };
  need_small_tables(node, entries(rows) * entries(columns) * planes.channels);
  return combine(rows, columns, planes, divisor);
}

bool is_conv(const ir::Node& node) {
  return node.op == "conv1d" || node.op == "conv2d";
}

bool is_adaptive(const ir::Node& node) {
  return node.op == "adaptive_avg_pool1d" || node.op == "adaptive_avg_pool2d";
}

// Height and width of an input; sequences are images of one row.
struct Image {
  std::int64_t channels;
  std::int64_t height;
  std::int64_t width;
};

Image image_of(const ops::Site& site) {
  const ir::Shape& shape = site.data().shape;
  const bool sequence = site.node.op.ends_with("1d");
  if (shape.size() != (sequence ? 3u : 4u)) {
    unsupported(
        fmt::format("the native engine slides windows over batches, not over {}", ir::text(shape)),
        {.node = site.node.name}, "use --engine torch");
  }
  return {shape[1], sequence ? 1 : shape[2], shape.back()};
}

void plan_convolution(const ops::Site& site, const Image& image,
                      const std::vector<ops::Window>& windows, PlanWindows& out) {
  const auto number = [&](const char* name) {
    return static_cast<int>(site.attribute(name).as_int());
  };
  out.groups = number("groups");
  out.channels = number("in_channels") / out.groups;
  out.results = number("out_channels") / out.groups;
  out.kernel = static_cast<int>(windows[0].size * windows[1].size);
  const int width = static_cast<int>(image.width);
  const int out_width = static_cast<int>(windows[1].positions(image.width));
  const int kernel_row = static_cast<int>(windows[1].size);
  out.forward =
      combine_small(site.node, stretches(reads(windows[0], image.height, false), 1),
                    stretches(reads(windows[1], image.width, false), 1),
                    {width, out_width, out.channels, out.in_area, kernel_row, out.kernel}, 1);
  out.input_gradient = combine_small(
      site.node, stretches(read_by(windows[0], image.height), static_cast<int>(windows[0].stride)),
      stretches(read_by(windows[1], image.width), static_cast<int>(windows[1].stride)),
      {out_width, width, out.results, out.out_area, kernel_row, out.channels * out.kernel}, 1);
}

bool covers_once(const PlanWindows& plan) {
  std::vector<int> times(static_cast<std::size_t>(plan.in_area), 0);
  for (const Patch& patch : plan.forward.patches) {
    for (int y = 0; y < patch.rows; ++y) {
      for (int x = 0; x < patch.columns; ++x) {
        const int base = patch.in + y * patch.in_row + x * patch.in_column;
        for (int t = 0; t < patch.taps; ++t) {
          const Tap& tap = plan.forward.taps[static_cast<std::size_t>(patch.first_tap + t)];
          ++times[static_cast<std::size_t>(base + tap.offset)];
        }
      }
    }
  }
  return std::all_of(times.begin(), times.end(), [](int n) { return n == 1; });
}

}  // namespace

bool has_windows(const ir::Node& node) {
  return is_conv(node) || is_adaptive(node) || node.op.starts_with("avg_pool") ||
         node.op.starts_with("max_pool");
}

std::string why_not_windows(const ir::Node& node) {
  if (!is_conv(node)) return "";
  if (const ir::Value* mode = node.attribute("padding_mode");
      mode && mode->get<std::string>() && mode->as_text() != "zeros") {
    return fmt::format("node {}: padding_mode={}", node.name, mode->as_text());
  }
  for (const char* name : {"in_channels", "out_channels"}) {
    const ir::Value* channels = node.attribute(name);
    if (channels && channels->as_int() > kMostChannels) {
      return fmt::format("node {}: {} = {}, where LibTorch is the better choice (above {})",
                         node.name, name, channels->as_int(), kMostChannels);
    }
  }
  return "";
}

PlanWindows dense_windows(int inputs, int outputs) {
  const std::vector<Stretch> pixel = stretches(reads({}, 1, false), 1);
  PlanWindows out{.channels = inputs, .results = outputs};
  out.forward = combine(pixel, pixel, {1, 1, inputs, 1, 1, 1}, 1);
  out.input_gradient = combine(pixel, pixel, {1, 1, outputs, 1, 1, inputs}, 1);
  return out;
}

PlanWindows plan_windows(const ops::Site& site) {
  const Image image = image_of(site);
  const ops::ValueType type = ops::op_of(site.node).infer(site);
  const ir::Shape& result = std::get<ops::TensorType>(type).shape;
  const std::int64_t out_width = result.back();
  const std::int64_t out_height = result.size() == 3 ? 1 : result[2];
  PlanWindows out;
  out.in_area = static_cast<int>(image.height * image.width);
  out.out_area = static_cast<int>(out_height * out_width);
  const bool adaptive = is_adaptive(site.node);
  std::vector<ops::Window> windows;
  if (!adaptive) windows = ops::windows_of(site);
  if (windows.size() == 1) windows.insert(windows.begin(), ops::Window{});
  if (!adaptive) {
    need_small_tables(site.node, windows[0].positions(image.height) * windows[0].size);
    need_small_tables(site.node, windows[1].positions(image.width) * windows[1].size);
  }
  if (is_conv(site.node)) {
    plan_convolution(site, image, windows, out);
    return out;
  }
  out.groups = static_cast<int>(image.channels);
  const Planes planes{static_cast<int>(image.width), static_cast<int>(out_width), 1, 0, 0, 0};
  if (adaptive) {
    out.forward = combine_small(site.node, stretches(adaptive_reads(image.height, out_height), 1),
                                stretches(adaptive_reads(image.width, out_width), 1), planes, 0);
  } else {
    const bool average = site.node.op.starts_with("avg_pool");
    const bool count_padding = average && site.attribute("count_include_pad").as_bool();
    int divisor = 0;
    if (site.node.op == "avg_pool2d") {
      const ir::Value given = site.attribute("divisor_override");
      if (!given.is_none()) divisor = static_cast<int>(given.as_int());
    }
    out.forward =
        combine_small(site.node, stretches(reads(windows[0], image.height, count_padding), 1),
                      stretches(reads(windows[1], image.width, count_padding), 1), planes, divisor);
  }
  out.once = covers_once(out);
  return out;
}

}  // namespace mase::engine::native
