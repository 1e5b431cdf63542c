// Reads torch.optim's param_groups and the schedule's state_dict(): neither holds the name of a
// class, so both are recognised by the keys they have.
#include "mase/train/inherit.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "mase/support/error.h"
#include "mase/train/optimiser.h"

namespace mase::train {
namespace {

using engine::OptimiserKind;
using engine::OptimiserOptions;

// Optimisers that are not here, by a key of their groups that only they have.
struct ForeignOptimiser {
  std::string_view key;
  std::string_view name;
};
constexpr std::array kForeignOptimisers{
    ForeignOptimiser{"momentum_decay", "NAdam"},
    ForeignOptimiser{"lr_decay", "Adagrad"},
    ForeignOptimiser{"alpha", "RMSprop or ASGD"},
    ForeignOptimiser{"rho", "Adadelta"},
    ForeignOptimiser{"etas", "Rprop"},
    ForeignOptimiser{"history_size", "LBFGS"},
    ForeignOptimiser{"ns_steps", "Muon"},
};

class ParameterGroup {
 public:
  explicit ParameterGroup(const Resumption& from)
      : from_(from), keys_(from.checkpoint.optimiser_options) {}

  bool has(std::string_view key) const { return ir::find(keys_, key) != nullptr; }

  double number(std::string_view key, double least, double most) const {
    const ir::Value* value = ir::find(keys_, key);
    return checked(key, value ? number_of(*value) : std::nullopt, least, most);
  }
  bool flag(std::string_view key) const {
    const ir::Value* value = ir::find(keys_, key);
    if (!value || value->is_none()) return false;
    return value->is<bool>() ? value->as_bool() : number_of(*value).value_or(1) != 0;
  }
  double beta(std::size_t i) const {
    const ir::Value& betas = *ir::find(keys_, "betas");
    const auto* tuple = betas.get<ir::Tuple>();
    const ir::List* items = tuple ? &tuple->items : betas.get<ir::List>();
    const bool there = items && i < items->size();
    return checked("betas", there ? number_of((*items)[i]) : std::nullopt, 0,
                   std::nextafter(1.0, 0.0));
  }

 private:
  double checked(std::string_view key, std::optional<double> number, double least,
                 double most) const {
    if (number && *number >= least && *number <= most) return *number;
    throw Error(ErrorKind::Unreadable,
                fmt::format("its optimiser's '{}' is {}", key,
                            number ? fmt::format("{}", *number) : std::string("no number")),
                {.file = from_.path.string()});
  }

  const Resumption& from_;
  const ir::Dict& keys_;
};

constexpr double kMostSetting = 1e30;

[[noreturn]] void refuse(const Resumption& from, std::string why) {
  unsupported(std::move(why), {.file = from.path.string()},
              "start from its weights with --load instead");
}

// The settings of a group, without its rate: that is the schedule's affair.
OptimiserOptions read_group(const Resumption& from, const ParameterGroup& group,
                            OptimiserKind wanted) {
  for (const ForeignOptimiser& foreign : kForeignOptimisers) {
    if (!group.has(foreign.key)) continue;
    refuse(from, fmt::format("its optimiser is {}, which is not here", foreign.name));
  }
  for (const std::string_view key : {"amsgrad", "maximize"}) {
    if (group.flag(key)) refuse(from, fmt::format("its optimiser has {}=True", key));
  }
  OptimiserOptions out;
  out.weight_decay = group.number("weight_decay", 0, kMostSetting);
  if (group.has("momentum") && group.has("nesterov")) {
    out.kind = OptimiserKind::Sgd;
    out.momentum = group.number("momentum", 0, kMostSetting);
    out.nesterov = group.flag("nesterov");
    const double dampening =
        group.has("dampening") ? group.number("dampening", -kMostSetting, kMostSetting) : 0;
    if (dampening != 0) refuse(from, fmt::format("its optimiser has dampening={}", dampening));
    return out;
  }
  if (!group.has("betas") || !group.has("amsgrad")) {
    refuse(from, "its optimiser is none of Adam, AdamW and SGD");
  }
  // Until PyTorch 2.7, nothing in the file tells Adam from AdamW.
  out.kind = wanted == OptimiserKind::AdamW ? wanted : OptimiserKind::Adam;
  if (group.has("decoupled_weight_decay")) {
    out.kind = group.flag("decoupled_weight_decay") ? OptimiserKind::AdamW : OptimiserKind::Adam;
  }
  out.beta1 = group.beta(0);
  out.beta2 = group.beta(1);
  out.epsilon = group.number("eps", 0, kMostSetting);
  return out;
}

// What a run of this program that had taken over from another noted down.
const ir::Value* noted(const Resumption& from, std::string_view key) {
  const ir::Value* notes = ir::find(from.checkpoint.mase, kInherited);
  return notes ? notes->find(key) : nullptr;
}

// Adam or AdamW, where the file does not say: the one noted down, or asked for.
OptimiserKind kind_wanted(const Resumption& from, const FitOptions& options) {
  const ir::Value* noted_kind = noted(from, "optimiser");
  if (noted_kind && *noted_kind == ir::Value(name(OptimiserKind::AdamW))) {
    return OptimiserKind::AdamW;
  }
  return noted_kind ? OptimiserKind::Adam : options.optimiser.kind;
}

void check_parts(const Resumption& from) {
  const io::Checkpoint& c = from.checkpoint;
  if (c.further_optimisers > 0) {
    refuse(from, fmt::format("it holds {} optimisers, one is used here", c.further_optimisers + 1));
  }
  if (c.further_schedulers > 0) {
    refuse(from, fmt::format("it holds {} schedules of the learning rate, one is used here",
                             c.further_schedulers + 1));
  }
  // The optimiser numbers its parameters in their order, which leaves out those that were frozen.
  const auto trained = std::count_if(c.state.begin(), c.state.end(), [](const auto& entry) {
    const std::string& parameter = entry.first;
    return !parameter.ends_with("running_mean") && !parameter.ends_with("running_var") &&
           !parameter.ends_with("num_batches_tracked");
  });
  if (!noted(from, "optimiser") && c.optimiser_parameters != trained) {
    refuse(from,
           fmt::format("its optimiser is of {} of the {} parameters: which, is not in the file",
                       c.optimiser_parameters, trained));
  }
  for (std::size_t i = 0; i < c.further_groups.size(); ++i) {
    for (const auto& [key, value] : c.optimiser_options) {
      const ir::Value* other = ir::find(c.further_groups[i], key);
      if (other && *other == value) continue;
      refuse(from, fmt::format("its optimiser treats groups of parameters differently: {} is {} in "
                               "the first, {} in group {}",
                               key, ir::repr(value), other ? ir::repr(*other) : "absent", i + 1));
    }
  }
}

// Whether the schedule goes by epochs or by steps: its own count tells.
void place_schedule(const Resumption& from, std::int64_t count, Schedule& schedule) {
  const Position& at = from.position;
  if (schedule.kind == ScheduleKind::None) return;
  const ir::Value* by_step = noted(from, "by_step");
  // A schedule that is due after every epoch has not seen one that max_steps cut short.
  const bool by_epoch = count == at.epoch || count + 1 == at.epoch;
  schedule.by_step =
      by_step && by_step->is<bool>() ? by_step->as_bool() : !by_epoch && count == at.step;
  if (!by_step && !by_epoch && !schedule.by_step) {
    refuse(from, fmt::format("its schedule has been stepped {} times in {} epochs and {} steps: "
                             "when it is due next is not in the file",
                             count, at.epoch, at.step));
  }
  schedule.ahead = count - (schedule.by_step ? at.step : at.epoch);
}

void warn_of_adam(const Resumption& from, const ParameterGroup& group,
                  const OptimiserOptions& optimiser, const FitOptions& options,
                  const Output& output) {
  const bool adam = optimiser.kind != OptimiserKind::Sgd;
  if (!adam || optimiser.weight_decay == 0 || options.asked.optimiser) return;
  if (group.has("decoupled_weight_decay") || noted(from, "optimiser")) return;
  output.warn(
      fmt::format("{} does not say whether its optimiser is Adam or AdamW: it is taken for "
                  "{}; --training-optimizer says otherwise",
                  from.path.string(), class_name(optimiser.kind)));
}

// What was asked for by name wins.
void apply_asked(const Resumption& from, const FitOptions& options, const Output& output,
                 Inheritance& inherited) {
  const auto choose = [&](std::string_view option, double asked, double& theirs) {
    if (asked == theirs) return;
    output.warn(fmt::format("{} = {} was asked for and is used; {} says {}", option, asked,
                            from.path.string(), theirs));
    theirs = asked;
  };
  const OptimiserOptions& wanted = options.optimiser;
  if (options.asked.learning_rate) {
    choose("learning_rate", wanted.learning_rate, inherited.schedule.base);
  }
  if (options.asked.weight_decay && wanted.kind != OptimiserKind::Sgd) {
    choose("weight_decay", wanted.weight_decay, inherited.optimiser.weight_decay);
  }
  if (!options.asked.optimiser || wanted.kind == inherited.optimiser.kind) return;
  const bool other =
      (wanted.kind == OptimiserKind::Sgd) != (inherited.optimiser.kind == OptimiserKind::Sgd);
  if (other) {
    usage_error(fmt::format("its optimiser is {}, whose memory is of no use to {}",
                            class_name(inherited.optimiser.kind), class_name(wanted.kind)),
                {.file = from.path.string()},
                "leave out --training-optimizer, or start from its weights with --load");
  }
  output.warn(fmt::format("training_optimizer = {} was asked for and is used; {} says {}",
                          name(wanted.kind), from.path.string(), name(inherited.optimiser.kind)));
  inherited.optimiser.kind = wanted.kind;
}

void say_inherited(const Resumption& from, const Inheritance& it, const Output& output) {
  const OptimiserOptions& o = it.optimiser;
  const double rate =
      it.schedule.rate(it.schedule.by_step ? from.position.step : from.position.epoch);
  const std::string settings =
      o.kind == OptimiserKind::Sgd
          ? fmt::format("momentum {}, nesterov {}", o.momentum, o.nesterov)
          : fmt::format("betas ({}, {}), eps {}", o.beta1, o.beta2, o.epsilon);
  output.info(fmt::format("Taken over from {}: {}, {}, weight decay {}, learning rate {}, {}",
                          from.path.filename().string(), class_name(o.kind), settings,
                          o.weight_decay, rate, it.schedule.text()));
}

}  // namespace

std::optional<Inheritance> inherit(const Resumption& from, const FitOptions& options,
                                   const Output& output) {
  const io::Checkpoint& c = from.checkpoint;
  const ir::Value mase(c.mase);
  if (mase.find("course") && !mase.find(kInherited)) return std::nullopt;
  if (c.optimiser_options.empty()) return std::nullopt;  // a run of no steps
  check_parts(from);
  const ParameterGroup group(from);
  Inheritance out{.optimiser = read_group(from, group, kind_wanted(from, options))};
  const double rate = group.number("lr", 0, kMostSetting);
  ReadSchedule read = read_schedule(c.scheduler, rate);
  place_schedule(from, read.count, read.schedule);
  out.schedule = std::move(read.schedule);
  warn_of_adam(from, group, out.optimiser, options, output);
  apply_asked(from, options, output, out);
  out.optimiser.learning_rate = out.schedule.base;
  say_inherited(from, out, output);
  return out;
}

}  // namespace mase::train
