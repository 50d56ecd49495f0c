# troupe_add_library(): user code as a shared library that `troupe serve` loads. Part of the installed package.
#
#   troupe_add_library(spell speller.cpp LINK_LIBRARIES hunspell)      # libspell.so
#
# What the options are for. Several versions of a library are in one process at the same time, so none may share anything
# with another, or with the program, by the accident of equal names:
#   -fno-gnu-unique       static data of inline functions and templates would be one per process (STB_GNU_UNIQUE)
#   hidden visibility     nothing but the entries is exported
#   version script        not even what headers or static libraries declare visible
#   -Bsymbolic            should something be exported all the same, the library itself uses its own
#   --exclude-libs        the same for the contents of static libraries
# It does not link troupe or CAF: their functions are those of the program that loads the library.

set(_troupe_library_script ${CMAKE_CURRENT_LIST_DIR}/troupe_library.map)

function(troupe_add_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LINK_LIBRARIES")
  if(NOT arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "troupe_add_library(${name} <source>... [LINK_LIBRARIES <library>...]): no sources given")
  endif()
  add_library(${name} MODULE ${arg_UNPARSED_ARGUMENTS})
  target_compile_features(${name} PRIVATE cxx_std_20)
  foreach(used IN ITEMS troupe::troupe CAF::core)
    target_include_directories(${name} PRIVATE $<TARGET_PROPERTY:${used},INTERFACE_INCLUDE_DIRECTORIES>)
  endforeach()
  target_link_libraries(${name} PRIVATE nlohmann_json::nlohmann_json ${arg_LINK_LIBRARIES})
  target_compile_options(${name} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>)
  target_link_options(
    ${name}
    PRIVATE
    LINKER:-Bsymbolic
    LINKER:--exclude-libs,ALL
    LINKER:--version-script=${_troupe_library_script})
  set_target_properties(
    ${name}
    PROPERTIES CXX_VISIBILITY_PRESET hidden
               C_VISIBILITY_PRESET hidden
               VISIBILITY_INLINES_HIDDEN ON
               POSITION_INDEPENDENT_CODE ON
               NO_SONAME ON
               INSTALL_RPATH $ORIGIN # shared libraries that are installed beside it come along
               LINK_DEPENDS ${_troupe_library_script})
endfunction()
