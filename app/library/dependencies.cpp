// Follows the dynamic linker's rules (ld.so(8)) as far as they concern a library's own search path.
#include <troupe/app/library/dependencies.hpp>

#include <elf.h>
#include <link.h>
#include <system_error>
#include <utility>

namespace troupe::library {

namespace fs = std::filesystem;

std::optional<dependency> find_dependency(const std::string& needed, const elf_facts& of, const fs::path& origin) {
  const auto look = [&](const std::string& as_written) -> std::optional<dependency> {
    auto path = as_written;
    for (const std::string token : {"${ORIGIN}", "$ORIGIN"})
      for (auto at = path.find(token); at != std::string::npos; at = path.find(token))
        path.replace(at, token.size(), origin.string());
    if (path.find('$') != std::string::npos)
      return std::nullopt; // $LIB, $PLATFORM: the dynamic linker's business
    std::error_code none;
    auto file = fs::canonical(path, none);
    return none ? std::nullopt : std::optional{dependency{std::move(file), path != as_written}};
  };
  if (needed.find('/') != std::string::npos)
    return look(needed); // not searched
  for (const auto& folder : of.search)
    if (auto found = look((fs::path{folder} / needed).string()))
      return found;
  return std::nullopt;
}

std::vector<loaded_object> loaded_objects() {
  std::vector<loaded_object> out;
  const auto look = [](dl_phdr_info* info, std::size_t, void* to) {
    const ElfW(Dyn)* dynamic = nullptr;
    for (int i = 0; i < info->dlpi_phnum; ++i)
      if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
        dynamic = reinterpret_cast<const ElfW(Dyn)*>(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
    if (!dynamic || !info->dlpi_name || !*info->dlpi_name)
      return 0;
    const char* strings = nullptr;
    std::optional<std::uint64_t> soname;
    for (const auto* x = dynamic; x->d_tag != DT_NULL; ++x) {
      if (x->d_tag == DT_STRTAB) // made absolute by the dynamic linker, but for read-only tables
        strings = reinterpret_cast<const char*>(x->d_un.d_ptr < info->dlpi_addr ? info->dlpi_addr + x->d_un.d_ptr
                                                                                : x->d_un.d_ptr);
      else if (x->d_tag == DT_SONAME)
        soname = x->d_un.d_val;
    }
    fs::path file{info->dlpi_name};
    auto name = strings && soname ? std::string{strings + *soname} : file.filename().string();
    static_cast<std::vector<loaded_object>*>(to)->push_back({std::move(name), std::move(file)});
    return 0;
  };
  ::dl_iterate_phdr(look, &out);
  return out;
}

} // namespace troupe::library
