// What makes a shared library unfit to be loaded into this process, decided from its file alone.
#pragma once

#include <troupe/app/library/elf_file.hpp>
#include <troupe/messages/error.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::library {

/// The first difference, as "CAF: the library was built with 1801, this program with 1706; ..."; nothing when the tags
/// are equal. All differences are named.
std::optional<std::string> difference(std::string_view library_abi, std::string_view own_abi);

/// This program's tag.
std::string own_abi();

/// Whether the program, or a library that it is linked with, defines this (mangled) symbol for all to see.
using defined_in_program = std::function<bool(const std::string&)>;
bool program_defines(const std::string& symbol);

/// Why the library must not be loaded (`invalid_spec`, without its name), or nothing. In this order: no application in
/// it, built for another program, no application `symbol`, data that versions would share, code of the program that
/// would run instead of its own.
std::optional<error> unfit(const elf_facts& facts, const std::string& symbol, const defined_in_program& in_program);

/// As the last two of `unfit`, for a library that comes along with one.
std::optional<error> leaks(const elf_facts& facts, const defined_in_program& in_program);

} // namespace troupe::library
