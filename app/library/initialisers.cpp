// See System V gABI, "Initialization and Termination Functions": DT_INIT first, then DT_INIT_ARRAY from its start.
#include <troupe/app/library/file.hpp>
#include <troupe/app/library/initialisers.hpp>

#include <array>
#include <cerrno>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdexcept>
#include <unistd.h>

namespace troupe::library {

namespace {

/// In the range for operating systems, where the dynamic linker skips what it does not know.
constexpr Elf64_Sxword skipped_tag = DT_LOOS + 0x54c0;

bool overwrite(int fd, std::uint64_t at, Elf64_Dyn entry) {
  return ::pwrite(fd, &entry, sizeof entry, static_cast<off_t>(at)) == static_cast<ssize_t>(sizeof entry);
}

} // namespace

result<bool> take_out_initialisers(const std::filesystem::path& copy, const elf_initialisers& where) {
  const descriptor file{::open(copy.c_str(), O_WRONLY | O_CLOEXEC)};
  Elf64_Dyn skipped{}, empty{};
  skipped.d_tag = skipped_tag;
  skipped.d_un.d_ptr = where.init;
  empty.d_tag = DT_INIT_ARRAYSZ;
  if (!file || (where.init_entry_at != 0 && !overwrite(file.get(), where.init_entry_at, skipped)) ||
      (where.array_size_at != 0 && !overwrite(file.get(), where.array_size_at, empty)))
    return error{errc::unavailable, "cannot change " + copy.string() + ": " + text_of_errno(errno)};
  return true;
}

void run_initialisers(void* handle, const elf_initialisers& where) {
  using initialiser = void (*)(int, char**, char**); // what glibc passes
  link_map* map = nullptr;
  if (::dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0)
    throw std::runtime_error("dlinfo failed");
  static std::array<char*, 1> no_arguments{nullptr};
  const auto call = [](std::uintptr_t address) {
    reinterpret_cast<initialiser>(address)(0, no_arguments.data(), environ);
  };
  if (where.init != 0)
    call(map->l_addr + where.init);
  const auto* array = reinterpret_cast<const std::uintptr_t*>(map->l_addr + where.array);
  for (std::size_t i = 0; i < where.array_bytes / sizeof(std::uintptr_t); ++i)
    if (array[i] != 0 && array[i] != ~std::uintptr_t{0}) // as glibc does
      call(array[i]);
}

} // namespace troupe::library
