# One set of flags for every target. -ffast-math stays off and contraction is disabled: rounding is
# part of the results, and fused operations are written out where they are wanted.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

# Most of a compilation is spent on headers and on the templates every source instantiates anew, so
# that sources of a folder are compiled several at a time (a third of the processor time). Each has
# to compile alone as well: scripts/check_alone.sh.
option(MASE_UNITY "Compile several sources of a folder at a time" ON)
set(CMAKE_UNITY_BUILD ${MASE_UNITY})
set(CMAKE_UNITY_BUILD_BATCH_SIZE 10)

add_library(mase_flags INTERFACE)
target_compile_options(mase_flags INTERFACE -Wall -Wextra -Wpedantic -ffp-contract=off)
# Designated initialisers leave out what has a default.
target_compile_options(mase_flags INTERFACE -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(mase_flags INTERFACE -Wno-restrict)  # false alarms on std::string (PR 105651)
endif()
if(MASE_WERROR)
  target_compile_options(mase_flags INTERFACE -Werror)
endif()
if(MASE_SANITIZE)
  add_compile_options(-fsanitize=${MASE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MASE_SANITIZE})
endif()
