// ch completion bash|zsh|fish
#include "ch/options/completion.h"

#include <iostream>

#include "ch/actions/actions.h"

namespace ch {

int run_completion(Invocation& invocation) {
  std::cout << completion_script(invocation.positional("shell"));
  return 0;
}

}  // namespace ch
