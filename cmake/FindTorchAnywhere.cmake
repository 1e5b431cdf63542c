# LibTorch, looked for in this order: one named by the user (CMAKE_PREFIX_PATH, Torch_DIR), the
# system's (Debian: libtorch-dev), the one inside an installed Python `torch`. Its targets become
# visible everywhere, so that tests and benchmarks can use them; its flags stay with its target.
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)
if(Torch_DIR)  # else the named Torch would take the system's targets
  set(Caffe2_DIR ${Torch_DIR}/../Caffe2)
endif()
find_package(Torch QUIET)  # searches CMAKE_PREFIX_PATH before the system's folders
if(NOT Torch_FOUND)
  find_program(MASE_PYTHON NAMES python3 python)
  if(MASE_PYTHON)
    # find_spec does not run the package: importing it takes two seconds.
    execute_process(
      COMMAND ${MASE_PYTHON} -c
        "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')"
      OUTPUT_VARIABLE torch_package OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(torch_package)
      list(PREPEND CMAKE_PREFIX_PATH ${torch_package}/share/cmake)
      find_package(Torch QUIET)
    endif()
  endif()
endif()
unset(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL)

# `mase_torch`: headers and libraries of LibTorch for the one module, its tests and the benchmarks.
if(Torch_FOUND AND NOT TARGET mase_torch)
  add_library(mase_torch INTERFACE)
  target_link_libraries(mase_torch INTERFACE ${TORCH_LIBRARIES})
  separate_arguments(torch_flags NATIVE_COMMAND "${TORCH_CXX_FLAGS}")
  target_compile_options(mase_torch INTERFACE ${torch_flags})
  # Python's torch carries headers of another fmt, which come before the system's: whichever is
  # read, nothing of it may be expected from libfmt.
  target_compile_definitions(mase_torch INTERFACE FMT_HEADER_ONLY=1)
  message(STATUS "LibTorch ${Torch_VERSION} in ${TORCH_INSTALL_PREFIX}")
endif()
