#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "mase/io/torch/pickle.h"
#include "mase/io/zip.h"
#include "mase/ir/graph.h"

// Files of torch.save: a zip archive of `<name>/data.pkl` and one member per storage; before
// PyTorch 1.6 pickles and raw storages one behind the other; before 0.1.10 a tar archive.
namespace mase::io {

// Where the elements of a tensor lie in a storage, in elements of its type.
struct TensorView {
  std::string key;  // of the storage
  ir::DType type = ir::DType::Float32;
  std::int64_t offset = 0;
  ir::Shape shape;
  ir::Shape stride;
};

class TorchArchive {
 public:
  // The pickle is read, no tensor yet. Tensors and values made from it take at most 64 MB and four
  // times the file (packed members count as sixteen times their size).
  static Result<TorchArchive> parse(ZipReader zip);
  // The older files, or nullopt if the bytes do not start like one.
  static std::optional<Result<TorchArchive>> parse_old(const Bytes& bytes,
                                                       const std::string& file_name);

  const Object& root() const { return root_; }

  static bool is_tensor(const Object& object);
  // What kind of tensor it is, if it is one that is not read: "a sparse tensor", else "".
  static std::string_view unread_kind(const Object& object);
  // A dense copy. ReadError for storages that are missing or too small, element types without
  // an ir::DType, and views that would unfold to far more than the file holds.
  Result<ir::Tensor> tensor(const Object& object);
  // A plain value with tensors in it; what has no counterpart becomes TypeName{"module.name"}.
  Result<ir::Value> value(const Object& object) { return value(object, 0); }

 private:
  static Result<TorchArchive> parse_stream(const Bytes& bytes, const std::string& file_name);
  static Result<TorchArchive> parse_tar(const Bytes& bytes, const std::string& file_name);

  Result<ir::Value> value(const Object& object, int depth);
  Result<TensorView> view(const Object& object);
  // At least its first `needed` bytes, if it has as many.
  Result<Bytes> storage(const std::string& key, std::uint64_t needed);
  ReadError error(std::string message) const;
  bool charge(std::uint64_t bytes);

  std::string file_name_;
  ZipReader zip_;       // empty for the older files, whose storages are all in storages_
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
