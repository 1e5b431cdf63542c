#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mase/ir/value.h"
#include "mase/support/field.h"

// The options of `ch`, one row each. Parsing, help, the check of configuration files, the argument
// table, shell completion, the option reference and run.json are derived from these rows.
namespace ch {

// What is read in another way than the type of the field says.
enum class Form {
  Plain,
  Count,  // what lies below `low` (or 1) and is not the default means "none", with a warning
  OptionalValue,  // the value may be left out: the first of the choices
  File,           // an existing file, made absolute
  FileOrFolder,   // an existing file or folder, made absolute
  Folder,         // a folder, made absolute; created when it is written to
};

enum class Group { General, Trainer, Runtime, Data, Project, Information };
inline constexpr Group kGroups[] = {Group::General, Group::Trainer, Group::Runtime,
                                    Group::Data,    Group::Project, Group::Information};
std::string_view title(Group group);  // "general options"

// Which actions an option does something for; each action (ch/action.h) owns one bit.
enum Use : unsigned {
  kTrain = 1,
  kTest = 2,
  kPredict = 4,
  kTransform = 8,
  kInfo = 16,
  kData = 32,
  kHelp = 64,
  kCompletion = 128,
  kSweep = 256,
  kRuns = kTrain | kTest | kPredict | kTransform | kSweep,  // take a model and data
  kAll = 511,
};

// A value that users know from elsewhere and that cannot work here.
struct Refusal {
  std::string_view value;
  std::string_view reason;
  // What a configuration file that says so gets instead, with a warning; "" = an error there too.
  std::string_view instead = "";
};

struct Option {
  // Its name is the key in configuration files and in the argument table. A truth value is a flag,
  // a list may be given several times, a table is a map of columns (columns.h).
  mase::Field field;
  std::vector<std::string_view> flags = {};  // long spellings; empty for positionals
  Form form = Form::Plain;
  std::string_view metavar = "";
  Group group = Group::General;
  unsigned used_by = kRuns;
  bool or_path = false;  // an existing file is as good as a choice
  std::vector<Refusal> refused = {};
  std::string_view range_reason = "";   // why a value outside the range is refused
  std::string_view short_flag = "";     // "-h"
  bool in_table = true;                 // a row of the argument table and a key of files
  std::string_view shown_default = "";  // what the help says where there is no default
  bool beyond_mase = false;             // in the argument table of the actions that use it only
  std::string_view needs = "";          // the option without which this one has no effect
  bool may_vary = false;                // the outcome of a training depends on it: ch sweep takes
                                        // a list of values ("64,128", "0..7")

  std::string_view dest() const { return field.name; }
  mase::ir::Value standard() const;  // None where the value may stay open
  bool is_positional() const { return flags.empty() && short_flag.empty(); }
  bool takes_value() const { return field.type != mase::FieldType::Bool; }
  bool is_number() const;
  // Whether an existing file may be its value: names of models and data sets may be paths as well.
  bool reads_file() const;
  // "--cpu", "action": how messages call it.
  std::string_view name() const { return flags.empty() ? dest() : flags.front(); }
};

// All options in the order of the argument table: those of MASE first, in its order.
const std::vector<Option>& options();
const Option* find_option(std::string_view dest);
// The option with this spelling ("--batch-size", "-h"); null if there is none.
const Option* find_flag(std::string_view flag);

// Keys and flags that MASE's users may have in their files and scripts and that have no function
// here: accepted in files with a warning, refused on the command line with the reason.
struct Absent {
  std::string_view dest;
  std::string_view flag;  // "" = only in files
  std::string_view reason;
};
const std::vector<Absent>& absent_options();

// Top-level keys of a configuration file that are no options: [passes.*], and [sweep] with the
// lists of ch sweep.
inline constexpr std::string_view kPassesKey = "passes";
inline constexpr std::string_view kSweepKey = "sweep";

// Reads the text of a value as the option's type. On failure returns nothing and says why in
// `problem` ("invalid int value: 'x'"). Counts below their least come back as they are.
std::optional<mase::ir::Value> parse_value(const Option& option, std::string_view text,
                                           std::string& problem);
// The values of a list: "64,128,256", a range of whole numbers with both ends "0..7", or both
// "1,4..6". The name of an existing file is one value, whatever it holds. What is wrong goes to
// `problems`, a text for each.
std::vector<mase::ir::Value> parse_list(const Option& option, std::string_view text,
                                        std::vector<std::string>& problems);
// The checks that hold wherever a value comes from: choices, refusals, range, existence of files.
// Returns "" if the value is fine. Paths are made absolute in place.
std::string check_value(const Option& option, mase::ir::Value& value);

// Whether a value that check_value refuses is a path with nothing to read there: an unreadable
// input rather than a mistake in the command.
bool names_missing_file(const Option& option, const mase::ir::Value& value);

// As Python's str(): what the argument table shows.
std::string shown(const mase::ir::Value& value);

}  // namespace ch
