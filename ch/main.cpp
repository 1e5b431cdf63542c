// The program: reads the command line, finds the action, runs it, turns errors into exit codes.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "ch/program.h"

int main(int argc, char** argv) {
  // Writing to a closed pipe (`ch info | head`) ends the program quietly, as it does for others.
  std::signal(SIGPIPE, SIG_DFL);
  // Waiting threads of OpenMP that spin cost up to ten times the run time beside other work.
  setenv("OMP_WAIT_POLICY", "passive", 0);

  int code = ch::run_program({argv + 1, argv + argc});
  std::cout.flush();
  if (!std::cout && code == 0) {
    std::fputs("ch: error: cannot write to standard output\n", stderr);
    code = 1;
  }
  std::fflush(nullptr);
  // Without the destructors of globals: those of LibTorch take longer than small runs.
  _exit(code);
}
