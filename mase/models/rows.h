#pragma once

#include "mase/models/model.h"

// The zoo's rows, in the files named after their families; table.cpp lists them.
namespace mase::models {

extern const ModelRow kJscS;     // jets.cpp
extern const ModelRow kJscTiny;  // jets.cpp
extern const ModelRow kJscToy;   // jets.cpp
extern const ModelRow kJscTrt;   // jets.cpp
extern const ModelRow kLenet5;   // lenet.cpp
extern const ModelRow kLfc;      // lutnet.cpp
extern const ModelRow kToy;      // toys.cpp
extern const ModelRow kToyTiny;  // toys.cpp

}  // namespace mase::models
