#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "mase/io/torch/checkpoint.h"
#include "mase/train/position.h"
#include "mase/train/snapshot.h"
#include "mase/train/train.h"

namespace mase::train {

// What a run goes on from.
struct Resumption {
  std::filesystem::path path;
  io::Checkpoint checkpoint;
  Position position;
  std::int64_t version = -1;  // the run it belongs to; -1 = another program's
  ir::Dict files;             // sizes of that run's metric files at this moment
  std::string prefix = {};    // what stood in front of all names and was taken off
};

// Finds and reads "last", "best" (of that run of the project which has written last) or a path.
// `graph` is the network to go on with: a prefix of all names that it does not have is taken off
// (io::strip_prefix). Throws Error{Unreadable} when there is none, naming those of this network
// that there are, and for a damaged file.
Resumption find_resumption(const std::string& which, const std::filesystem::path& project,
                           const ir::Graph& graph);

// Compares the options of the run with those of the one it goes on from: warns of differences that
// change its course; throws Error{Usage} where the position would mean something else.
void check_resumption(const Resumption& from, const RunFacts& facts, const Output& output);

// Whether the run can stand there: its epochs have so many batches. Throws Error{Usage}.
void check_place(const Position& at, std::int64_t batches, const FitOptions& options,
                 const std::string& file);

// Weights and optimiser into the program. Throws Error{Usage} when they do not fit the network.
void restore(const Resumption& from, const ir::Graph& graph, const engine::OptimiserOptions& wanted,
             engine::Program& program);

// A command line as it can be typed again, with the project named: the name made up for a folder
// holds the day. Without --resume and the options in `dropped`, each of which has a value.
std::string typed_again(const std::vector<std::string>& command, const std::string& project,
                        const std::vector<std::string>& dropped = {});

// The command line to go on with, made from the one that was typed: "ch train ... --resume last",
// where `from` is "last".
std::string resume_command(const Output& output, const std::string& from);

}  // namespace mase::train
