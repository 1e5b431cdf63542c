#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "mase/io/pickle.h"
#include "mase/io/zip.h"
#include "mase/ir/graph.h"

// The zip container of torch.save: `<name>/data.pkl` and one member per storage.
namespace mase::io {

class TorchArchive {
 public:
  // The pickle is read, no tensor yet.
  static Result<TorchArchive> parse(ZipReader zip);

  const Object& root() const { return root_; }

  static bool is_tensor(const Object& object);
  // A dense copy. ReadError for storages that are missing or too small, element types without
  // an ir::DType, and views that would unfold to far more than the file holds.
  Result<ir::Tensor> tensor(const Object& object);
  // A plain value with tensors in it; what has no counterpart becomes TypeName{"module.name"}.
  Result<ir::Value> value(const Object& object) { return value(object, 0); }

 private:
  struct View;

  Result<ir::Value> value(const Object& object, int depth);
  Result<View> view(const Object& object);
  Result<Bytes> storage(const std::string& key);
  ReadError error(std::string message) const;
  bool charge(std::uint64_t bytes);

  ZipReader zip_;
  std::string prefix_;  // "archive/"
  Object root_;
  std::uint64_t budget_ = 0;  // bytes that may still be made from this file
  std::map<std::string, Bytes> storages_;
};

// Builds such a file: tensors first, then the tree that holds what add() returned.
class TorchWriter {
 public:
  Object add(const ir::Tensor& tensor);
  Object add(const ir::Value& value);  // plain values and tensors in them, else Error{Internal}
  void write(const std::filesystem::path& path, const Object& root) const;

 private:
  std::vector<Bytes> storages_;
};

}  // namespace mase::io
