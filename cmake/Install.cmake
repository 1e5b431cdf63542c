# Install rules: the library, the program, public headers by the path they are included with, the
# engine modules, shared data and a package that find_package(mase) finds.
include(CMakePackageConfigHelpers)

set(MASE_SHARE ${CMAKE_INSTALL_DATADIR}/mase)
set_target_properties(mase PROPERTIES INSTALL_RPATH "$ORIGIN")
set_target_properties(ch PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")

install(TARGETS mase ch EXPORT mase_targets
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET mase_engine_torch)
  install(TARGETS mase_engine_torch LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/mase)
endif()
install(DIRECTORY mase/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/mase FILES_MATCHING PATTERN "*.h"
  PATTERN "engine/torch" EXCLUDE)
install(DIRECTORY configs/ DESTINATION ${MASE_SHARE}/configs FILES_MATCHING PATTERN "*.toml")
install(DIRECTORY ${PROJECT_BINARY_DIR}/share/ DESTINATION ${CMAKE_INSTALL_DATADIR})  # of `ch` itself
install(DIRECTORY data/ DESTINATION ${MASE_SHARE}/data FILES_MATCHING PATTERN "*.h5")

set(MASE_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/mase)
install(EXPORT mase_targets FILE mase-targets.cmake NAMESPACE mase:: DESTINATION ${MASE_CMAKE_DIR})
configure_package_config_file(cmake/mase-config.cmake.in ${PROJECT_BINARY_DIR}/mase-config.cmake
  INSTALL_DESTINATION ${MASE_CMAKE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/mase-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/mase-config.cmake
  ${PROJECT_BINARY_DIR}/mase-config-version.cmake DESTINATION ${MASE_CMAKE_DIR})
