// Reads what the loader must know of a shared library, without running any of it.
#pragma once

#include <troupe/actors/router/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::library {

/// One symbol of the dynamic symbol table.
struct elf_symbol {
  std::string name;     ///< Mangled, without a version.
  bool defined = false; ///< Here, and visible from elsewhere; else wanted from elsewhere.
  bool weak = false;
  bool unique = false;   ///< STB_GNU_UNIQUE: one per process, whichever library defines it.
  bool function = false; ///< Else data.
};

/// Where initialisers are, so that the loader can run them itself. Addresses are relative to where it is loaded.
struct elf_initialisers {
  std::uint64_t init = 0;          ///< A function; 0 = none.
  std::uint64_t array = 0;         ///< Of function pointers; 0 = none.
  std::uint64_t array_bytes = 0;   ///< Of the array.
  std::uint64_t init_entry_at = 0; ///< In the file: the entry DT_INIT of the dynamic table; 0 = none.
  std::uint64_t array_size_at = 0; ///< In the file: the entry DT_INIT_ARRAYSZ; 0 = none.
};

/// A value.
struct elf_facts {
  std::vector<elf_symbol> symbols;
  std::vector<std::string> needed; ///< DT_NEEDED.
  std::string soname;              ///< Empty: it has none.
  std::vector<std::string> search; ///< DT_RUNPATH, else DT_RPATH, folder by folder, as written.
  bool symbolic = false;           ///< Its own definitions come first (-Bsymbolic).
  std::vector<std::string> abi;    ///< Text of each tag in the section `.troupe_abi`.
  elf_initialisers initialisers;

  /// Names of the applications that it exports.
  std::vector<std::string> applications() const;
};

/// `invalid_spec` when it is not a whole ELF shared object of this machine; the message says what it is instead,
/// without naming the file.
result<elf_facts> read_elf(int fd);

/// As C++ writes it; `name` itself when it is no mangled name.
std::string demangled(const std::string& name);

/// The C++ library's own (namespaces std, __gnu_cxx, __cxxabiv1), which is one per process anyway.
bool is_of_standard_library(std::string_view mangled);

} // namespace troupe::library
