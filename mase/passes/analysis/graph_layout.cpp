// Layered drawing (K. Sugiyama et al., 1981): ranks by longest path, long edges cut by bends, order
// in a rank by barycentres, x as near to the neighbours as the boxes allow (isotonic regression).
#include "mase/passes/analysis/graph_layout.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace mase::passes {
namespace {

constexpr double kMargin = 20;
constexpr double kRankGap = 46;
constexpr double kBoxGap = 28;
constexpr double kBendWidth = 10;
constexpr int kOrderSweeps = 6;
constexpr int kPlaceSweeps = 12;

struct Vertex {
  std::size_t rank = 0;
  double width = kBendWidth;
  double x = 0;
  std::vector<std::size_t> above;  // neighbours in the rank before
  std::vector<std::size_t> below;
};

// Boxes and the bends of edges that pass ranks by.
struct Layers {
  std::vector<Vertex> vertices;                  // boxes first
  std::vector<std::vector<std::size_t>> ranks;   // vertices from left to right
  std::vector<std::vector<std::size_t>> chains;  // per edge: from, bends, to
};

std::vector<std::size_t> ranks_of(std::size_t boxes, std::span<const Edge> edges) {
  std::vector<std::size_t> rank(boxes, 0);
  std::vector<Edge> sorted(edges.begin(), edges.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const Edge& a, const Edge& b) { return a.from < b.from; });
  std::vector<bool> is_source(boxes, true);
  for (const Edge& edge : sorted) {
    rank[edge.to] = std::max(rank[edge.to], rank[edge.from] + 1);
    is_source[edge.to] = false;
  }
  // A source stands just above its first reader, not at the top.
  for (std::size_t box = 0; box < boxes; ++box) {
    std::size_t first = std::numeric_limits<std::size_t>::max();
    for (const Edge& edge : sorted) {
      if (edge.from == box) first = std::min(first, rank[edge.to]);
    }
    if (is_source[box] && first != std::numeric_limits<std::size_t>::max()) rank[box] = first - 1;
  }
  return rank;
}

Layers make_layers(std::span<const Box> boxes, std::span<const Edge> edges) {
  Layers layers;
  const std::vector<std::size_t> rank = ranks_of(boxes.size(), edges);
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    layers.vertices.push_back({.rank = rank[i], .width = boxes[i].width});
  }
  for (const Edge& edge : edges) {
    std::vector<std::size_t> chain{edge.from};
    for (std::size_t r = rank[edge.from] + 1; r < rank[edge.to]; ++r) {
      chain.push_back(layers.vertices.size());
      layers.vertices.push_back({.rank = r});
    }
    chain.push_back(edge.to);
    for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
      layers.vertices[chain[i]].below.push_back(chain[i + 1]);
      layers.vertices[chain[i + 1]].above.push_back(chain[i]);
    }
    layers.chains.push_back(std::move(chain));
  }
  for (std::size_t v = 0; v < layers.vertices.size(); ++v) {
    const std::size_t r = layers.vertices[v].rank;
    if (layers.ranks.size() <= r) layers.ranks.resize(r + 1);
    layers.ranks[r].push_back(v);
  }
  return layers;
}

// Mean of a property of the neighbours on one side; `otherwise` if there are none.
template <typename Of>
double mean(const std::vector<std::size_t>& neighbours, double otherwise, Of of) {
  if (neighbours.empty()) return otherwise;
  double sum = 0;
  for (const std::size_t n : neighbours) sum += of(n);
  return sum / static_cast<double>(neighbours.size());
}

void order_ranks(Layers& layers) {
  std::vector<double> position(layers.vertices.size());
  const auto number = [&](const std::vector<std::size_t>& rank) {
    for (std::size_t i = 0; i < rank.size(); ++i) position[rank[i]] = static_cast<double>(i);
  };
  for (const auto& rank : layers.ranks) number(rank);
  for (int sweep = 0; sweep < kOrderSweeps; ++sweep) {
    const bool down = sweep % 2 == 0;
    for (std::size_t i = 0; i < layers.ranks.size(); ++i) {
      auto& rank = layers.ranks[down ? i : layers.ranks.size() - 1 - i];
      std::vector<double> key(layers.vertices.size());
      for (const std::size_t v : rank) {
        const Vertex& vertex = layers.vertices[v];
        key[v] = mean(down ? vertex.above : vertex.below, position[v],
                      [&](std::size_t n) { return position[n]; });
      }
      std::stable_sort(rank.begin(), rank.end(),
                       [&](std::size_t a, std::size_t b) { return key[a] < key[b]; });
      number(rank);
    }
  }
}

// The positions nearest to the wanted ones that keep the order and the gaps: with the gaps taken
// off, the nearest rising sequence, found by pooling neighbours that fall.
void place_rank(Layers& layers, const std::vector<std::size_t>& rank,
                const std::vector<double>& wanted) {
  struct Pool {
    double sum;
    double count;
    double value() const { return sum / count; }
  };
  std::vector<double> offset(rank.size(), 0);
  for (std::size_t i = 1; i < rank.size(); ++i) {
    const double half = (layers.vertices[rank[i - 1]].width + layers.vertices[rank[i]].width) / 2;
    offset[i] = offset[i - 1] + half + kBoxGap;
  }
  std::vector<Pool> pools;
  for (std::size_t i = 0; i < rank.size(); ++i) {
    pools.push_back({wanted[i] - offset[i], 1});
    while (pools.size() > 1 && pools[pools.size() - 2].value() > pools.back().value()) {
      const Pool last = pools.back();
      pools.pop_back();
      pools.back().sum += last.sum;
      pools.back().count += last.count;
    }
  }
  std::size_t i = 0;
  for (const Pool& pool : pools) {
    for (double k = 0; k < pool.count; ++k, ++i) {
      layers.vertices[rank[i]].x = pool.value() + offset[i];
    }
  }
}

void place(Layers& layers) {
  for (const auto& rank : layers.ranks) place_rank(layers, rank, std::vector<double>(rank.size()));
  for (int sweep = 0; sweep < kPlaceSweeps; ++sweep) {
    const bool down = sweep % 2 == 0;
    for (std::size_t i = 0; i < layers.ranks.size(); ++i) {
      const auto& rank = layers.ranks[down ? i : layers.ranks.size() - 1 - i];
      std::vector<double> wanted;
      for (const std::size_t v : rank) {
        const Vertex& vertex = layers.vertices[v];
        wanted.push_back(mean(down ? vertex.above : vertex.below, vertex.x,
                              [&](std::size_t n) { return layers.vertices[n].x; }));
      }
      place_rank(layers, rank, wanted);
    }
  }
}

}  // namespace

Layout lay_out(std::span<const Box> boxes, std::span<const Edge> edges) {
  Layers layers = make_layers(boxes, edges);
  order_ranks(layers);
  place(layers);

  double left = std::numeric_limits<double>::max();
  double right = std::numeric_limits<double>::lowest();
  for (const Vertex& vertex : layers.vertices) {
    left = std::min(left, vertex.x - vertex.width / 2);
    right = std::max(right, vertex.x + vertex.width / 2);
  }
  std::vector<double> centre_of_rank;
  std::vector<double> height_of_rank;
  double y = kMargin;
  for (const auto& rank : layers.ranks) {
    double height = 0;
    for (const std::size_t v : rank) {
      if (v < boxes.size()) height = std::max(height, boxes[v].height);
    }
    centre_of_rank.push_back(y + height / 2);
    height_of_rank.push_back(height);
    y += height + kRankGap;
  }

  Layout layout;
  const auto at = [&](std::size_t v) {
    const Vertex& vertex = layers.vertices[v];
    return Point{vertex.x - left + kMargin, centre_of_rank[vertex.rank]};
  };
  for (std::size_t i = 0; i < boxes.size(); ++i) layout.centres.push_back(at(i));
  for (const auto& chain : layers.chains) {
    const Point begin = at(chain.front());
    const Point end = at(chain.back());
    std::vector<Point> points{{begin.x, begin.y + boxes[chain.front()].height / 2}};
    // Straight down past the boxes of a rank, so that curves stay between the ranks.
    for (std::size_t i = 1; i + 1 < chain.size(); ++i) {
      const Point bend = at(chain[i]);
      const double half = height_of_rank[layers.vertices[chain[i]].rank] / 2;
      points.push_back({bend.x, bend.y - half});
      points.push_back({bend.x, bend.y + half});
    }
    points.push_back({end.x, end.y - boxes[chain.back()].height / 2});
    layout.edges.push_back(std::move(points));
  }
  layout.size = boxes.empty() ? Box{2 * kMargin, 2 * kMargin}
                              : Box{right - left + 2 * kMargin, y - kRankGap + kMargin};
  return layout;
}

}  // namespace mase::passes
