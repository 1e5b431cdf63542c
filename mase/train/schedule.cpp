// The learning rate by epoch: half a cosine from the initial rate to a floor (Loshchilov and
// Hutter, SGDR, 2017, without restarts), and PyTorch's other schedules that have a closed form. A
// row for each says how it is recognised, read and written.
#include "mase/train/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>
#include <optional>

#include "mase/support/error.h"
#include "mase/train/train.h"

namespace mase::train {
namespace {

using ir::Dict;

double need_number(const Dict& state, std::string_view key) {
  const ir::Value* value = ir::find(state, key);
  const std::optional<double> number = value ? number_of(*value) : std::nullopt;
  if (number && std::isfinite(*number)) return *number;
  throw Error(ErrorKind::Unreadable,
              fmt::format("the schedule of the learning rate: '{}' is no finite number", key));
}

// Counts: whole, and at least `least`.
std::int64_t checked_count(double number, std::string_view key, std::int64_t least) {
  if (number == std::trunc(number) && number >= static_cast<double>(least) && number < 0x1p53) {
    return static_cast<std::int64_t>(number);
  }
  throw Error(ErrorKind::Unreadable,
              fmt::format("the schedule of the learning rate: {} = {} is no count", key, number));
}

std::int64_t need_count(const Dict& state, std::string_view key, std::int64_t least) {
  return checked_count(need_number(state, key), key, least);
}

std::int64_t milestone_count(const ir::Value& value, std::int64_t least) {
  return checked_count(number_of(value).value_or(std::nan("")), "milestones", least);
}

void read_milestones(const Dict& state, Schedule& out) {
  const ir::Value& milestones = *ir::find(state, "milestones");
  if (const Dict* counter = milestones.get<Dict>()) {
    for (const auto& [when, times] : *counter) {
      std::int64_t at = 0;
      const auto [end, problem] = std::from_chars(when.data(), when.data() + when.size(), at);
      if (problem != std::errc{} || end != when.data() + when.size()) {
        throw Error(ErrorKind::Unreadable, fmt::format("a milestone '{}' of the schedule", when));
      }
      out.milestones.emplace_back(at, milestone_count(times, 1));
    }
    return;
  }
  if (const ir::List* list = milestones.get<ir::List>()) {
    for (const ir::Value& item : *list) out.milestones.emplace_back(milestone_count(item, 0), 1);
    return;
  }
  throw Error(ErrorKind::Unreadable, "the milestones of the schedule cannot be read");
}

Dict write_milestones(const Schedule& s) {
  Dict counter;
  for (const auto& [when, times] : s.milestones) {
    counter.emplace_back(fmt::format("{}", when), times);
  }
  return counter;
}

struct ScheduleRow {
  ScheduleKind kind;
  std::string_view name;               // PyTorch's class
  std::vector<std::string_view> keys;  // all of them are its own, and no other row's
  void (*read)(const Dict&, Schedule&);
  double (*rate)(const Schedule&, double count);
  Dict (*write)(const Schedule&);
};

const std::vector<ScheduleRow>& schedule_rows() {
  static const std::vector<ScheduleRow> kSchedules = {
      {ScheduleKind::Cosine,
       "CosineAnnealingLR",
       {"T_max", "eta_min"},
       [](const Dict& d, Schedule& s) {
         s.length = need_count(d, "T_max", 1);
         s.floor = need_number(d, "eta_min");
       },
       [](const Schedule& s, double n) {
         const double progress = n / static_cast<double>(s.length);
         return s.floor + (s.base - s.floor) * (1.0 + std::cos(std::numbers::pi * progress)) / 2.0;
       },
       [](const Schedule& s) {
         return Dict{{"T_max", s.length}, {"eta_min", s.floor}};
       }},
      {ScheduleKind::Step,
       "StepLR",
       {"step_size", "gamma"},
       [](const Dict& d, Schedule& s) {
         s.length = need_count(d, "step_size", 1);
         s.factor = need_number(d, "gamma");
       },
       [](const Schedule& s, double n) {
         return s.base * std::pow(s.factor, std::floor(n / static_cast<double>(s.length)));
       },
       [](const Schedule& s) {
         return Dict{{"step_size", s.length}, {"gamma", s.factor}};
       }},
      {ScheduleKind::MultiStep,
       "MultiStepLR",
       {"milestones", "gamma"},
       [](const Dict& d, Schedule& s) {
         read_milestones(d, s);
         s.factor = need_number(d, "gamma");
       },
       [](const Schedule& s, double n) {
         double passed = 0;
         for (const auto& [when, times] : s.milestones) {
           if (static_cast<double>(when) <= n) passed += static_cast<double>(times);
         }
         return s.base * std::pow(s.factor, passed);
       },
       [](const Schedule& s) {
         return Dict{{"milestones", write_milestones(s)}, {"gamma", s.factor}};
       }},
      {ScheduleKind::Exponential,
       "ExponentialLR",
       {"gamma"},
       [](const Dict& d, Schedule& s) { s.factor = need_number(d, "gamma"); },
       [](const Schedule& s, double n) { return s.base * std::pow(s.factor, n); },
       [](const Schedule& s) {
         return Dict{{"gamma", s.factor}};
       }},
      {ScheduleKind::Constant,
       "ConstantLR",
       {"factor", "total_iters"},
       [](const Dict& d, Schedule& s) {
         s.factor = need_number(d, "factor");
         s.length = need_count(d, "total_iters", 0);
       },
       [](const Schedule& s, double n) {
         return n < static_cast<double>(s.length) ? s.base * s.factor : s.base;
       },
       [](const Schedule& s) {
         return Dict{{"factor", s.factor}, {"total_iters", s.length}};
       }},
      {ScheduleKind::Linear,
       "LinearLR",
       {"start_factor", "end_factor", "total_iters"},
       [](const Dict& d, Schedule& s) {
         s.factor = need_number(d, "start_factor");
         s.end = need_number(d, "end_factor");
         s.length = need_count(d, "total_iters", 1);
       },
       [](const Schedule& s, double n) {
         const double progress = std::min(n / static_cast<double>(s.length), 1.0);
         return s.base * (s.factor + (s.end - s.factor) * progress);
       },
       [](const Schedule& s) {
         return Dict{{"start_factor", s.factor}, {"end_factor", s.end}, {"total_iters", s.length}};
       }},
      {ScheduleKind::Polynomial,
       "PolynomialLR",
       {"power", "total_iters"},
       [](const Dict& d, Schedule& s) {
         s.power = need_number(d, "power");
         s.length = need_count(d, "total_iters", 1);
       },
       [](const Schedule& s, double n) {
         const double progress = std::min(n / static_cast<double>(s.length), 1.0);
         return s.base * std::pow(1.0 - progress, s.power);
       },
       [](const Schedule& s) {
         return Dict{{"power", s.power}, {"total_iters", s.length}};
       }},
  };
  return kSchedules;
}

const ScheduleRow* schedule_row(ScheduleKind kind) {
  for (const ScheduleRow& row : schedule_rows()) {
    if (row.kind == kind) return &row;
  }
  return nullptr;
}

// Schedules without a closed form here, by a key that only they have.
struct ForeignSchedule {
  std::string_view key;
  std::string_view name;
};
constexpr ForeignSchedule kForeignSchedules[] = {
    {"T_0", "CosineAnnealingWarmRestarts"},
    {"cooldown", "ReduceLROnPlateau"},
    {"total_steps", "OneCycleLR"},
    {"max_lrs", "CyclicLR"},
    {"lr_lambdas", "LambdaLR or MultiplicativeLR"},
    {"_schedulers", "SequentialLR or ChainedScheduler"},
    {"anneal_func", "SWALR"},
};

// What every schedule keeps beside its own.
constexpr std::string_view kCommonKeys[] = {
    "base_lrs",   "last_epoch", "verbose", "_step_count", "_last_lr", "_get_lr_called_within_step",
    "_is_initial"};

const ScheduleRow& recognise(const Dict& state) {
  std::vector<std::string_view> own;
  for (const auto& [key, value] : state) {
    const bool common =
        std::find(std::begin(kCommonKeys), std::end(kCommonKeys), key) != std::end(kCommonKeys);
    if (!common) own.push_back(key);
  }
  for (const ScheduleRow& row : schedule_rows()) {
    if (std::is_permutation(own.begin(), own.end(), row.keys.begin(), row.keys.end())) return row;
  }
  std::string name = own.empty() ? "of an unknown kind" : fmt::format("with '{}'", own.front());
  for (const ForeignSchedule& foreign : kForeignSchedules) {
    if (ir::find(state, foreign.key)) name = foreign.name;
  }
  unsupported(fmt::format("the schedule of its learning rate, {}, cannot be continued", name), {},
              "start from its weights with --load instead");
}

}  // namespace

std::optional<double> number_of(const ir::Value& value) {
  if (value.is_number()) return value.as_number();
  const auto* tensor = value.get<ir::Tensor>();
  return tensor && tensor->size() == 1 ? std::optional(tensor->at(0)) : std::nullopt;
}

double Schedule::rate(std::int64_t count) const {
  const ScheduleRow* row = schedule_row(kind);
  return row ? row->rate(*this, static_cast<double>(count + ahead)) : base;
}

std::string Schedule::text() const {
  const ScheduleRow* row = schedule_row(kind);
  if (!row) return "constant";
  std::string numbers;
  for (const auto& [key, value] : row->write(*this)) {
    numbers += fmt::format("{}{} {}", numbers.empty() ? "" : ", ", key, ir::repr(value));
  }
  return fmt::format("{} ({}{})", row->name, numbers, by_step ? ", by step" : "");
}

ReadSchedule read_schedule(const Dict& state, double rate) {
  if (state.empty()) return {.schedule = {.base = rate}};
  const ScheduleRow& row = recognise(state);
  ReadSchedule out;
  Schedule& s = out.schedule;
  s.kind = row.kind;
  row.read(state, s);
  out.count = need_count(state, "last_epoch", 0);
  const ir::Value* bases = ir::find(state, "base_lrs");
  const ir::List* list = bases ? bases->get<ir::List>() : nullptr;
  const std::optional<double> base =
      list && !list->empty() ? number_of(list->front()) : std::nullopt;
  if (!base || !std::isfinite(*base)) {
    throw Error(ErrorKind::Unreadable, "the schedule of the learning rate has no 'base_lrs'");
  }
  s.base = *base;
  // PyTorch goes on from the rate that is there. Where somebody has changed it, the rest of the
  // schedule is stretched in proportion.
  constexpr double kSame = 1e-9;
  const double here = s.rate(out.count) - s.floor;
  const double stretch = here != 0 ? (rate - s.floor) / here : 1;
  if (std::abs(stretch - 1) > kSame) s.base = s.floor + (s.base - s.floor) * stretch;
  return out;
}

Dict write_schedule(const Schedule& schedule, std::int64_t count) {
  const ScheduleRow* row = schedule_row(schedule.kind);
  if (!row) return {};
  Dict out = row->write(schedule);
  const std::int64_t own = count + schedule.ahead;
  const Dict rest{{"base_lrs", ir::List{schedule.base}},
                  {"last_epoch", own},
                  {"verbose", false},
                  {"_step_count", own + 1},
                  {"_get_lr_called_within_step", false},
                  {"_last_lr", ir::List{schedule.rate(count)}}};
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

double cosine_rate(double initial, double minimum, std::int64_t epoch, std::int64_t max_epochs) {
  if (max_epochs <= 0) return initial;
  const Schedule cosine{
      .kind = ScheduleKind::Cosine, .base = initial, .floor = minimum, .length = max_epochs};
  return cosine.rate(epoch);
}

}  // namespace mase::train
