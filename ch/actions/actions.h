#pragma once

#include <string>
#include <vector>

#include "ch/action.h"

// The functions behind the rows of ch/actions/table.cpp. Each returns an exit code.
namespace ch {

int run_train(Invocation& invocation);
int run_sweep(Invocation& invocation);
int run_test(Invocation& invocation);
int run_predict(Invocation& invocation);
int run_transform(Invocation& invocation);
int run_info(Invocation& invocation);
int run_data(Invocation& invocation);
int run_help(Invocation& invocation);
int run_completion(Invocation& invocation);

// What their positionals may be.
std::vector<std::string> model_names();  // of the zoo and of model files
std::vector<std::string> data_set_names();
std::vector<std::string> info_topics();
std::vector<std::string> help_topics();
std::vector<std::string> help_names(std::string_view topic);  // of what the topic has one help each

// `ch --info [all|model|dataset]`, as MASE prints it.
std::string list_supported(std::string_view what);

}  // namespace ch
