// The shared libraries that a library brings along, and those that this process has loaded already.
#pragma once

#include <troupe/actors/router/result.hpp>
#include <troupe/app/library/elf_file.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace troupe::library {

struct dependency {
  std::filesystem::path file; ///< All links resolved.
  bool beside = false;        ///< Found relative to the library (`$ORIGIN`): its private copy would not find it.
};

/// What the dynamic linker would find for `needed` by the search path of a library that lies in `origin`; nothing when
/// it would go on to the system's folders.
std::optional<dependency> find_dependency(const std::string& needed, const elf_facts& of,
                                          const std::filesystem::path& origin);

/// A shared object of this process.
struct loaded_object {
  std::string soname; ///< Without a DT_SONAME, the name of its file.
  std::filesystem::path file;
};

/// All of them but the program itself, by the dynamic linker's list. Thread-safe.
std::vector<loaded_object> loaded_objects();

} // namespace troupe::library
