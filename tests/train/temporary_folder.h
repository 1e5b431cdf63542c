#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

// A new folder within the one of this process (tests/main.cpp), with which it goes.
inline std::filesystem::path new_folder() {
  std::string name = testing::TempDir() + "XXXXXX";
  if (!mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
  return name;
}
