# Every dependency is declared here, with its reason. The Debian package names are in
# scripts/packages.txt.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)             # formatting: <format> is absent in GCC 12
find_package(nlohmann_json REQUIRED)   # JSON reports, safetensors headers
find_package(tomlplusplus REQUIRED)    # configuration and model files, with line and column
find_package(ZLIB REQUIRED)            # gzip data, zip archives
find_package(OpenSSL REQUIRED COMPONENTS Crypto)  # SHA-256 of data files (HDF5 and curl load it anyway)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)  # patterns of users, in linear time
find_package(HDF5 REQUIRED COMPONENTS C)  # the published jet data
find_package(CURL REQUIRED)            # ch data --download
find_library(LZF_LIBRARY lzf REQUIRED)  # the compression filter of the published jet file
find_path(LZF_INCLUDE_DIR lzf.h PATH_SUFFIXES liblzf REQUIRED)
