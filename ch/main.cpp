// The program: reads the command line, finds the action, runs it, turns errors into exit codes.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "ch/program.h"

namespace {

// A closed standard stream must not become the number of the next file that is opened: log lines
// would end up in it. Writing to this one fails as before.
void fill_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) >= 0) continue;
    static_cast<void>(open("/dev/null", O_RDONLY));
  }
}

// Whether whoever read our standard output has gone (`ch info | head`).
bool reader_has_gone() {
  pollfd out{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  return poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

// The exit code when the output did not get through.
int output_lost() {
  if (reader_has_gone()) return 128 + SIGPIPE;  // quietly, as others do
  std::fputs("ch: error: cannot write to standard output\n", stderr);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  fill_closed_streams();
  // A training outlives whoever looked at its progress, and a limit of the file size (ulimit -f) is
  // reported as an error of that file.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  // Waiting threads of OpenMP that spin cost up to ten times the run time beside other work.
  setenv("OMP_WAIT_POLICY", "passive", 0);

  int code = ch::run_program({argv + 1, argv + argc});
  std::cout.flush();
  if (!std::cout && code == 0) code = output_lost();
  std::fflush(nullptr);
  // Without the destructors of globals: those of LibTorch take longer than small runs.
  _exit(code);
}
