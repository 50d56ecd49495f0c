# Finds the distribution's CAF 0.17, which ships no CMake package, and defines CAF::core, CAF::io, CAF::openssl.
# Installed next to troupeConfig.cmake, so that a dependent project finds CAF the same way.
find_path(CAF_INCLUDE_DIR caf/all.hpp)
foreach(c IN LISTS CAF_FIND_COMPONENTS)
  find_library(CAF_${c}_LIBRARY caf_${c})
  if(CAF_${c}_LIBRARY)
    set(CAF_${c}_FOUND TRUE)
  endif()
endforeach()
if(CAF_INCLUDE_DIR)
  # CAF_VERSION is one number, e.g. 1706 for 0.17.6
  file(STRINGS "${CAF_INCLUDE_DIR}/caf/config.hpp" _v REGEX "^#define CAF_VERSION [0-9]+")
  string(REGEX MATCH "[0-9]+" _n "${_v}")
  math(EXPR _maj "${_n} / 10000")
  math(EXPR _min "(${_n} / 100) % 100")
  math(EXPR _pat "${_n} % 100")
  set(CAF_VERSION "${_maj}.${_min}.${_pat}")
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CAF REQUIRED_VARS CAF_INCLUDE_DIR VERSION_VAR CAF_VERSION HANDLE_COMPONENTS)
if(CAF_FOUND)
  find_package(Threads REQUIRED)
  foreach(c IN LISTS CAF_FIND_COMPONENTS)
    if(NOT TARGET CAF::${c})
      add_library(CAF::${c} UNKNOWN IMPORTED)
      set_target_properties(
        CAF::${c} PROPERTIES IMPORTED_LOCATION "${CAF_${c}_LIBRARY}"
                             INTERFACE_INCLUDE_DIRECTORIES "${CAF_INCLUDE_DIR}"
                             INTERFACE_LINK_LIBRARIES Threads::Threads)
    endif()
  endforeach()
endif()
