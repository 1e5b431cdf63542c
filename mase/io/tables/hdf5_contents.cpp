// Goes through the links of an HDF5 file, breadth first. Objects are told by their addresses.
#include "mase/io/tables/hdf5_contents.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <deque>
#include <set>

#include "mase/io/tables/hdf5_types.h"

namespace mase::io::hdf5 {
namespace {

struct Link {
  std::string name;
  H5L_type_t type = H5L_TYPE_ERROR;
};

struct Links {
  std::vector<Link> found;
  std::size_t room = 0;
};

herr_t collect(hid_t, const char* name, const H5L_info_t* info, void* out) {
  auto& links = *static_cast<Links*>(out);
  if (links.found.size() == links.room) return 1;
  links.found.push_back({name, info->type});
  return 0;
}

std::string join(const std::string& group, const std::string& name) {
  return group == "/" ? "/" + name : fmt::format("{}/{}", group, name);
}

class Walk {
 public:
  explicit Walk(const File& file) : file_(file) {}

  Status from(const std::string& start) {
    if (auto status = visit({}, start, H5L_TYPE_HARD, 0); !status) return status;
    while (!waiting_.empty()) {
      const Waiting next = std::move(waiting_.front());
      waiting_.pop_front();
      if (auto status = list(next); !status) return status;
    }
    return std::monostate{};
  }

  Contents contents;

 private:
  struct Waiting {
    std::string path;
    int depth = 0;
  };

  Status list(const Waiting& at) {
    const Handle group = file_.object(at.path);
    Links links{.found = {}, .room = kMostLinks - seen_};
    const herr_t ending =
        H5Literate(group.id(), H5_INDEX_NAME, H5_ITER_NATIVE, nullptr, collect, &links);
    if (ending < 0) return file_.failed("list " + at.path);
    if (ending > 0) {
      return file_.error(
          fmt::format("has more than {} links; name the table: FILE:/path/to/table", kMostLinks));
    }
    seen_ += links.found.size();
    contents.groups.push_back(
        {at.path, attribute_text(group.id(), "pandas_type").value_or(""), {}});
    const std::size_t index = contents.groups.size() - 1;
    std::sort(links.found.begin(), links.found.end(),
              [](const Link& a, const Link& b) { return a.name < b.name; });
    for (const Link& link : links.found) {
      // PyTables keeps the indexes of its tables there.
      if (link.name.starts_with("_i_")) continue;
      if (auto status = visit(index, join(at.path, link.name), link.type, at.depth + 1); !status) {
        return status;
      }
    }
    return std::monostate{};
  }

  Status visit(std::optional<std::size_t> group, const std::string& path, H5L_type_t type,
               int depth) {
    if (type == H5L_TYPE_EXTERNAL) {
      contents.refused.push_back(fmt::format("{} {}", path, external_target(path)));
      return std::monostate{};
    }
    const Handle object = file_.object(path);
    if (!object.ok() && type == H5L_TYPE_SOFT) {
      contents.refused.push_back(path + " is a link that leads nowhere in this file");
      return std::monostate{};
    }
    if (!object.ok()) {
      contents.unreadable.push_back(fmt::format("{} cannot be opened{}", path, library_reason()));
      return std::monostate{};
    }
    H5O_info_t info = {};
    if (H5Oget_info(object.id(), &info) < 0) return file_.failed("look at " + path);
    if (!addresses_.insert(info.addr).second) return std::monostate{};
    if (info.type == H5O_TYPE_GROUP) {
      if (depth > kDeepestGroup) {
        return file_.error(fmt::format("has groups more than {} deep", kDeepestGroup));
      }
      waiting_.push_back({path, depth});
    } else if (info.type == H5O_TYPE_DATASET && group) {
      contents.groups[*group].arrays.push_back(describe_array(file_, path));
    }
    return std::monostate{};
  }

  std::string external_target(const std::string& path) const {
    std::array<char, 4096> value = {};
    const char* file = nullptr;
    const char* object = nullptr;
    unsigned flags = 0;
    if (H5Lget_val(file_.id(), path.c_str(), value.data(), value.size() - 1, H5P_DEFAULT) < 0 ||
        H5Lunpack_elink_val(value.data(), value.size(), &flags, &file, &object) < 0) {
      return "is a link to another file, which is not followed";
    }
    return fmt::format("is a link to {} in the file {}; links to other files are not followed",
                       object, file);
  }

  const File& file_;
  std::deque<Waiting> waiting_;
  std::set<haddr_t> addresses_;
  std::size_t seen_ = 0;
};

}  // namespace

std::string Array::text() const {
  return fmt::format("{} [{}]", path, fmt::join(shape, ", "));
}

const Array* Group::find(std::string_view name) const {
  const auto at = std::find_if(arrays.begin(), arrays.end(),
                               [&](const Array& array) { return array.name() == name; });
  return at == arrays.end() ? nullptr : &*at;
}

Result<Contents> list_contents(const File& file, const std::string& start) {
  Walk walk(file);
  if (auto status = walk.from(start); !status) return status.error();
  return std::move(walk.contents);
}

Array describe_array(const File& file, const std::string& path) {
  Array out{.path = path};
  const Handle dataset = file.object(path);
  if (!dataset.ok() || H5Iget_type(dataset.id()) != H5I_DATASET) return out;
  const Handle type = type_handle(H5Dget_type(dataset.id()));
  const Handle space = space_handle(H5Dget_space(dataset.id()));
  std::array<hsize_t, H5S_MAX_RANK> extent = {};
  const int rank = H5Sget_simple_extent_dims(space.id(), extent.data(), nullptr);
  if (!type.ok() || rank < 0) return out;
  out.family = H5Tget_class(type.id());
  if (out.family == H5T_COMPOUND) out.members = H5Tget_nmembers(type.id());
  out.shape.assign(extent.begin(), extent.begin() + rank);
  return out;
}

}  // namespace mase::io::hdf5
