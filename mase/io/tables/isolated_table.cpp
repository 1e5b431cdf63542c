// A child process for each task, which opens the table anew, does it, and ends. What it says comes
// through a pipe, in frames (table_frames.h).
#include "mase/io/tables/isolated_table.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <new>
#include <string>

#include "mase/io/bytes.h"
#include "mase/io/tables/table_frames.h"

namespace mase::io {
namespace {

constexpr int kPatience = 60'000;                              // ms without a frame
constexpr std::uint64_t kMostMemory = std::uint64_t{4} << 30;  // of a child, beyond the parent's

constexpr int kOutOfMemory = 2;  // exit code of a child

// The child's end of the pipe. When nobody listens any more, SIGPIPE ends the child.
class Sender {
 public:
  explicit Sender(int fd) : fd_(fd) {}

  void send(FrameKind kind, std::span<const std::byte> first,
            std::span<const std::byte> second = {}) {
    const Frame frame{kind, first.size() + second.size()};
    write_all(std::as_bytes(std::span(&frame, 1)));
    write_all(first);
    write_all(second);
  }

 private:
  void write_all(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) ::_exit(1);
      bytes = bytes.subspan(static_cast<std::size_t>(n));
    }
  }

  int fd_;
};

// What this process has mapped so far, in bytes.
std::uint64_t mapped_bytes() {
  std::uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

// What the library says when it breaks down concerns nobody, and signals are the parent's to
// handle; but a crash has to be one.
void become_child() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPIPE}) {
    std::signal(signal, SIG_DFL);
  }
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_IGN);
  const struct rlimit none = {0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  struct rlimit memory = {};
  ::getrlimit(RLIMIT_AS, &memory);
  memory.rlim_cur = std::min<rlim_t>(memory.rlim_cur, mapped_bytes() + kMostMemory);
  ::setrlimit(RLIMIT_AS, &memory);
  const int silence = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (silence >= 0) ::dup2(silence, STDERR_FILENO);
}

// A task under way in a child.
class Child : public FrameSource {
 public:
  explicit Child(const std::function<void(Sender&)>& task) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      failure_ = not_started(errno);
      return;
    }
    ::fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
    pid_ = ::fork();
    if (pid_ == 0) {
      become_child();
      ::close(ends[0]);
      Sender sender(ends[1]);
      try {
        task(sender);
      } catch (const std::bad_alloc&) {
        ::_exit(kOutOfMemory);
      } catch (...) {  // must not reach the handlers of the parent's copy
        ::_exit(1);
      }
      ::_exit(0);
    }
    if (pid_ < 0) failure_ = not_started(errno);
    ::close(ends[1]);
    fd_ = ends[0];
  }
  ~Child() override {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      wait();
    }
    if (fd_ >= 0) ::close(fd_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  bool receive(std::span<std::byte> to) override {
    while (!to.empty()) {
      struct pollfd waiting = {fd_, POLLIN, 0};
      const int ready = fd_ < 0 ? -1 : ::poll(&waiting, 1, kPatience);
      if (ready < 0 && fd_ >= 0 && errno == EINTR) continue;
      if (ready == 0) return fail(fmt::format("stood still for {} s", kPatience / 1000));
      if (ready < 0) return fail("gave no answer");
      const ssize_t n = ::read(fd_, to.data(), to.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return fail(ending());
      to = to.subspan(static_cast<std::size_t>(n));
    }
    return true;
  }
  // What is wrong: with the file where its reader failed, with the machine where there is none.
  std::string failure() const override { return failure_; }

 private:
  bool fail(std::string_view why) {
    if (failure_.empty()) failure_ = fmt::format("damaged: the program that reads it {}", why);
    return false;
  }
  static std::string not_started(int code) {
    return fmt::format("cannot be read now: no program to read it can be started: {}",
                       std::strerror(code));
  }
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }
  std::string ending() {
    const int status = pid_ > 0 ? wait() : 0;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && failure_.empty()) {
      failure_ = "cannot be read now: the program that reads it was killed (out of memory?)";
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == kOutOfMemory) {
      return fmt::format("needs more than {} GiB of memory", kMostMemory >> 30);
    }
    return WIFSIGNALED(status) ? fmt::format("crashed: {}", ::strsignal(WTERMSIG(status)))
                               : "ended too early";
  }

  pid_t pid_ = -1;
  int fd_ = -1;
  std::string failure_;
};

class IsolatedTable : public Table {
 public:
  IsolatedTable(const std::filesystem::path& path, TableOpener open)
      : Table(path), open_(std::move(open)) {}

  Status describe();
  Status read(std::span<const std::size_t> wanted, const RowSink& sink) override;

 private:
  TableOpener open_;
};

Status IsolatedTable::describe() {
  Child child([&](Sender& to) {
    const auto table = open_();
    if (!table) return to.send(FrameKind::Error, bytes_of(pack(table.error())));
    const std::string out = pack(TableDescription{(*table)->rows(), (*table)->columns()});
    if (out.size() > kLargestFrame) {
      return to.send(FrameKind::Error, bytes_of(pack(error("names its columns too long"))));
    }
    to.send(FrameKind::Description, bytes_of(out));
  });
  auto description = receive_description(child, path_);
  if (!description) return description.error();
  rows_ = description->rows;
  columns_ = std::move(description->columns);
  return std::monostate{};
}

Status IsolatedTable::read(std::span<const std::size_t> wanted, const RowSink& sink) {
  if (wanted.empty()) return std::monostate{};
  Child child([&](Sender& to) {
    const auto table = open_();
    for (const std::size_t column : wanted) {
      const Categories* expected = categories(column);
      if (table && expected != nullptr) (*table)->categorise(column, *expected);
    }
    const auto send_rows = [&](std::int64_t first, std::span<const double> values) -> Status {
      to.send(FrameKind::Rows, std::as_bytes(std::span(&first, 1)), std::as_bytes(values));
      return std::monostate{};
    };
    const auto status = table ? (*table)->read(wanted, send_rows) : Status(table.error());
    if (!status) return to.send(FrameKind::Error, bytes_of(pack(status.error())));
    to.send(FrameKind::Done, {});
  });
  return receive_rows(child, path_, wanted.size(), rows_, sink);
}

}  // namespace

Result<std::unique_ptr<Table>> open_isolated(const std::filesystem::path& path, TableOpener open) {
  auto table = std::make_unique<IsolatedTable>(path, std::move(open));
  if (auto status = table->describe(); !status) return status.error();
  return std::unique_ptr<Table>(std::move(table));
}

}  // namespace mase::io
