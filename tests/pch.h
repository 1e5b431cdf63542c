// What nearly every test includes, compiled once for all of them. A test still includes what it
// uses: with -DMASE_UNITY=OFF nothing is precompiled.
#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "mase/engine/engine.h"
#include "mase/support/error.h"
