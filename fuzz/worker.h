#pragma once

#include <dlfcn.h>
#include <execinfo.h>
#include <poll.h>
#include <sanitizer/common_interface_defs.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>

#include "fuzz/harness.h"

// What clang records of this program: a counter of one byte for each edge, and where each edge is.
struct CoveredPlace {
  std::uintptr_t address;
  std::uintptr_t flags;
};
extern "C" std::uint8_t __start___sancov_cntrs[] __attribute__((visibility("hidden")));
extern "C" std::uint8_t __stop___sancov_cntrs[] __attribute__((visibility("hidden")));
extern "C" const CoveredPlace __start___sancov_pcs[] __attribute__((visibility("hidden")));
extern "C" const CoveredPlace __stop___sancov_pcs[] __attribute__((visibility("hidden")));

namespace mase::fuzz {

// For targets that go through a foreign library which some inputs bring down. A process of its own
// tries input after input and hands its coverage back, so that libFuzzer sees it; when it ends,
// another one goes on. Whose fault an end is, is told by the stack: the innermost frame that lies
// in this program or in the library. One of this program counts if a fresh process ends in the same
// way on this input alone, as the library may have damaged memory before.
class Worker {
 public:
  // `library` is how the name of the library's file begins: "libhdf5".
  Worker(void (*run)(std::span<const std::byte>), const char* library) : run_(run) {
    library_name = library;
    constexpr int kAccess = PROT_READ | PROT_WRITE;
    void* shared = ::mmap(nullptr, kLargestInput + counters().size(), kAccess,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    require(shared != MAP_FAILED, "there is memory for a worker");
    input_ = static_cast<std::byte*>(shared);
    coverage_ = reinterpret_cast<std::uint8_t*>(input_ + kLargestInput);
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void operator()(std::span<const std::byte> bytes) {
    if (bytes.size() > kLargestInput) return;
    std::memcpy(input_, bytes.data(), bytes.size());
    const bool went_well = runs(bytes.size()) || runs(bytes.size());
    require(went_well, "no property broken in the worker, no report of the sanitizers");
    const auto here = counters();
    for (std::size_t i = 0; i < here.size(); ++i) {
      here[i] = static_cast<std::uint8_t>(std::min(here[i] + coverage_[i], 255));
    }
  }

 private:
  static constexpr std::size_t kLargestInput = std::size_t{1} << 20;
  static constexpr int kPatience = 5000;     // ms
  static constexpr int kMostInputs = 10000;  // of one process: libraries leak on errors
  static constexpr int kOurs = 70;           // exit codes of a process that ends by itself
  static constexpr int kOfLibrary = 71;
  static inline const char* library_name = "";

  static std::span<std::uint8_t> counters() {
    return {__start___sancov_cntrs, __stop___sancov_cntrs};
  }

  // Whether this program's own code lies there, which the runtime of the sanitizers is no part of:
  // a little behind a place that is covered.
  static bool is_ours(std::uintptr_t address) {
    constexpr std::uintptr_t kLongestBlock = 4096;
    return std::any_of(__start___sancov_pcs, __stop___sancov_pcs, [&](const CoveredPlace& place) {
      return place.address <= address && address - place.address < kLongestBlock;
    });
  }

  // Called where the process cannot go on: the innermost frame of this program or of the library
  // decides.
  [[noreturn]] static void tell_whose() {
    std::array<void*, 256> frames = {};
    const int count = ::backtrace(frames.data(), static_cast<int>(frames.size()));
    bool handling = false;  // among the frames of this function and its callers
    bool inside = false;    // behind them
    for (const void* frame : std::span(frames).first(static_cast<std::size_t>(count))) {
      const bool ours = is_ours(reinterpret_cast<std::uintptr_t>(frame));
      if (ours && inside) break;
      handling = handling || ours;
      inside = inside || (handling && !ours);
      Dl_info info = {};
      if (::dladdr(frame, &info) == 0 || info.dli_fname == nullptr) continue;
      const std::string_view path = info.dli_fname;
      if (path.substr(path.rfind('/') + 1).starts_with(library_name)) ::_exit(kOfLibrary);
    }
    ::_exit(kOurs);
  }

  // Whether the input was tried without a fault of ours, by the process that is there or a new one.
  bool runs(std::size_t size) {
    if (inputs_++ == kMostInputs) end();
    if (pid_ <= 0) start();
    std::memset(coverage_, 0, counters().size());
    const std::uint64_t order = size;
    require(::write(orders_, &order, sizeof order) == sizeof order, "the worker takes orders");
    struct pollfd waiting = {answers_, POLLIN, 0};
    char answer = 0;
    // One that stands still is asked where.
    if (::poll(&waiting, 1, kPatience) == 0) ::kill(pid_, SIGALRM);
    if (::poll(&waiting, 1, kPatience) == 1 && ::read(answers_, &answer, 1) == 1) return true;
    const int status = end();
    return WIFEXITED(status) && WEXITSTATUS(status) == kOfLibrary;
  }

  void start() {
    std::array<int, 2> orders = {};
    std::array<int, 2> answers = {};
    require(::pipe(orders.data()) == 0 && ::pipe(answers.data()) == 0, "there are pipes");
    pid_ = ::fork();
    require(pid_ >= 0, "a worker can be made");
    if (pid_ == 0) {
      ::close(orders[1]);
      ::close(answers[0]);
      work(orders[0], answers[1]);
    }
    ::close(orders[0]);
    ::close(answers[1]);
    orders_ = orders[1];
    answers_ = answers[0];
    inputs_ = 0;
  }

  [[noreturn]] void work(int orders, int answers) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::array<void*, 1> frame = {};
    ::backtrace(frame.data(), 1);  // loads what it needs while there is memory for it
    __sanitizer_set_death_callback([] { tell_whose(); });
    struct sigaction action = {};
    action.sa_handler = [](int) { tell_whose(); };
    action.sa_flags = SA_ONSTACK;  // a stack may be what has run out
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM}) {
      ::sigaction(signal, &action, nullptr);
    }
    std::uint64_t size = 0;
    while (::read(orders, &size, sizeof size) == sizeof size) {
      std::fill(counters().begin(), counters().end(), std::uint8_t{0});
      run_({input_, static_cast<std::size_t>(size)});
      std::copy(counters().begin(), counters().end(), coverage_);
      if (::write(answers, "", 1) != 1) break;
    }
    ::_exit(0);
  }

  int end() {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == 0) {
      pollfd closed = {answers_, POLLIN, 0};
      if (::poll(&closed, 1, 0) == 0) ::kill(pid_, SIGKILL);
      ::waitpid(pid_, &status, 0);
    }
    ::close(orders_);
    ::close(answers_);
    pid_ = -1;
    return status;
  }

  void (*run_)(std::span<const std::byte>);
  std::byte* input_ = nullptr;
  std::uint8_t* coverage_ = nullptr;
  pid_t pid_ = -1;
  int orders_ = -1;
  int answers_ = -1;
  int inputs_ = 0;
};

}  // namespace mase::fuzz
