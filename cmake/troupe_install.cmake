# Installs headers, libraries, the program and the CMake package `troupe`.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/troupe)
install(TARGETS troupe troupe_testing EXPORT troupeTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET troupe_program)
  install(TARGETS troupe_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  set(TROUPE_UNIT_BINDIR ${CMAKE_INSTALL_FULL_BINDIR})
  set(TROUPE_UNIT_CODEDIR ${CMAKE_INSTALL_PREFIX}/lib/troupe)
  configure_file(packaging/systemd/troupe.service.in generated/troupe.service @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/generated/troupe.service ${PROJECT_SOURCE_DIR}/packaging/systemd/troupe.socket
          DESTINATION lib/systemd/system)
  install(
    FILES ${PROJECT_SOURCE_DIR}/packaging/systemd/troupe.sysusers
    DESTINATION lib/sysusers.d
    RENAME troupe.conf)
endif()
foreach(room IN ITEMS messages actors app testing)
  install(
    DIRECTORY ${PROJECT_SOURCE_DIR}/${room}/
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/troupe/${room}
    FILES_MATCHING
    PATTERN "*.hpp"
    PATTERN "troupe.hpp" EXCLUDE)
endforeach()
install(
  FILES ${PROJECT_SOURCE_DIR}/app/troupe.hpp
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/troupe
  OPTIONAL)

install(
  EXPORT troupeTargets
  NAMESPACE troupe::
  DESTINATION ${package_dir})
configure_package_config_file(cmake/troupeConfig.cmake.in ${PROJECT_BINARY_DIR}/generated/troupeConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/generated/troupeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(
  FILES ${PROJECT_BINARY_DIR}/generated/troupeConfig.cmake ${PROJECT_BINARY_DIR}/generated/troupeConfigVersion.cmake ${PROJECT_SOURCE_DIR}/cmake/FindCAF.cmake
        ${PROJECT_SOURCE_DIR}/cmake/troupe_library.cmake ${PROJECT_SOURCE_DIR}/cmake/troupe_library.map DESTINATION ${package_dir})
