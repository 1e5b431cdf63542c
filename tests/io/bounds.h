#pragma once

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <fstream>
#include <new>

namespace mase::tests {

// Whether `work` gives true in a child process that may take `memory` bytes more than it has, and
// 20 seconds of the processor. (Sanitizers reserve address space of their own: there only the time
// counts.)
template <typename Work>
bool runs_within(std::size_t memory, Work&& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr rlim_t kSeconds = 20;
    const rlimit time{kSeconds, kSeconds};
    ::setrlimit(RLIMIT_CPU, &time);
#ifndef __SANITIZE_ADDRESS__
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const rlim_t most = pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + memory;
    const rlimit space{most, most};
    ::setrlimit(RLIMIT_AS, &space);
#endif
    bool good = false;
    try {
      good = work();
    } catch (const std::bad_alloc&) {
      ::_exit(2);
    }
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace mase::tests
