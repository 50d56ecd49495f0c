# Flags, precompiled header and the functions with which every room declares its targets.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_RUNTIME_OUTPUT_DIRECTORY)
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
endif()
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release)
endif()

# ccache accepts GCC's precompiled headers only with this sloppiness and -fpch-preprocess (ccache manual, "Precompiled
# headers").
find_program(TROUPE_CCACHE ccache)
mark_as_advanced(TROUPE_CCACHE)
if(TROUPE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${TROUPE_CCACHE})
endif()

# What every target of this project compiles with; not exported.
add_library(troupe_flags INTERFACE)
target_compile_options(
  troupe_flags
  INTERFACE -Wall
            -Wextra
            -Wpedantic
            -Wshadow
            -Wconversion
            -Wnon-virtual-dtor
            -Wold-style-cast
            # Not CMAKE_POSITION_INDEPENDENT_CODE: that gives -fPIE to executables and -fPIC to libraries, and a
            # precompiled header serves only one of the two.
            -fPIC)
if(TROUPE_WERROR)
  target_compile_options(troupe_flags INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these falsely for std::string, std::optional and std::variant once it inlines (GCC bugs 105329,
  # 105651, 105562); instrumented builds get more of them.
  target_compile_options(troupe_flags INTERFACE -Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-stringop-overread -Wno-array-bounds)
  if(TROUPE_PCH)
    target_compile_options(troupe_flags INTERFACE -fpch-preprocess)
  endif()
  if(CMAKE_UNITY_BUILD)
    # The one takes the anonymous namespace of an included source for a header's, the other takes its names for ours.
    target_compile_options(troupe_flags INTERFACE -Wno-subobject-linkage -Wno-shadow)
  endif()
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND TROUPE_PCH)
  target_compile_options(troupe_flags INTERFACE "SHELL:-Xclang -fno-pch-timestamp") # for ccache, as above
endif()
target_include_directories(troupe_flags INTERFACE ${PROJECT_BINARY_DIR}/include)
target_link_libraries(troupe_flags INTERFACE CAF::core Threads::Threads nlohmann_json::nlohmann_json)

# One precompiled header, reused by all targets.
if(TROUPE_PCH)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/pch.cpp CONTENT "// carries the precompiled header\n")
  add_library(troupe_pch OBJECT ${PROJECT_BINARY_DIR}/generated/pch.cpp)
  target_link_libraries(troupe_pch PRIVATE troupe_flags)
  target_precompile_headers(troupe_pch PRIVATE ${PROJECT_SOURCE_DIR}/cmake/pch.hpp)
endif()

# Makes <troupe/...> read the same in the tree as installed: include/troupe in the build directory is a directory of links
# to the rooms, and <troupe/troupe.hpp> is app/troupe.hpp.
function(troupe_link_include_tree)
  set(tree ${PROJECT_BINARY_DIR}/include/troupe)
  file(MAKE_DIRECTORY ${tree})
  foreach(room IN ITEMS messages actors app testing)
    file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${room} ${tree}/${room} SYMBOLIC)
  endforeach()
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/app/troupe.hpp ${tree}/troupe.hpp SYMBOLIC)
endfunction()

# troupe_sources(<variable> <pattern>...): the room's sources; new files are picked up by the next build.
function(troupe_sources variable)
  file(GLOB_RECURSE found CONFIGURE_DEPENDS ${ARGN})
  set(${variable} ${found} PARENT_SCOPE)
endfunction()

# troupe_unity_groups(<target>): with CMAKE_UNITY_BUILD, up to five sources of one folder are compiled as one. Names in
# anonymous namespaces must then differ within a folder; a source with the property SKIP_UNITY_BUILD_INCLUSION stays alone.
function(troupe_unity_groups target)
  if(NOT CMAKE_UNITY_BUILD)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD_MODE GROUP)
  get_target_property(sources ${target} SOURCES)
  list(FILTER sources INCLUDE REGEX "\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "TARGET_OBJECTS")
  set(last "")
  set(in_group 0)
  set(number 0)
  foreach(source IN LISTS sources)
    get_filename_component(folder ${source} DIRECTORY)
    if(NOT folder STREQUAL last OR in_group EQUAL 5)
      math(EXPR number "${number} + 1")
      set(in_group 0)
      set(last "${folder}")
    endif()
    math(EXPR in_group "${in_group} + 1")
    set_property(SOURCE ${source} PROPERTY UNITY_GROUP "group_${number}")
  endforeach()
endfunction()

# troupe_target(<target>): the project's flags and precompiled header for a target.
function(troupe_target target)
  troupe_unity_groups(${target})
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:troupe_flags>)
  if(TROUPE_PCH)
    target_precompile_headers(${target} REUSE_FROM troupe_pch)
  endif()
endfunction()

# troupe_room(<target> <source>...): an OBJECT library; a room without sources gets an empty one.
function(troupe_room target)
  set(sources ${ARGN})
  if(NOT sources)
    set(sources ${PROJECT_BINARY_DIR}/generated/${target}_empty.cpp)
    file(CONFIGURE OUTPUT ${sources} CONTENT "// this room has no sources yet\n")
  endif()
  add_library(${target} OBJECT ${sources})
  troupe_target(${target})
endfunction()
