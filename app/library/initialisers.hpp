// Runs the initialisers of a library (constructors of its static objects) in the loader's place instead of in dlopen.
//
// What an initialiser throws would pass through the dynamic linker, which is then left locked for ever, and while one
// runs no other library can be loaded. So the private copy is changed to have none before it is opened; afterwards they
// are called like any other user code.
#pragma once

#include <troupe/actors/router/result.hpp>
#include <troupe/app/library/elf_file.hpp>

#include <filesystem>

namespace troupe::library {

/// Changes the dynamic table of a copy of the library that `where` was read from. `unavailable` when it cannot write.
result<bool> take_out_initialisers(const std::filesystem::path& copy, const elf_initialisers& where);

/// Calls those of an opened copy (`handle` of dlopen), in their order. Throws what they throw.
void run_initialisers(void* handle, const elf_initialisers& where);

} // namespace troupe::library
