// What user.cpp links; built twice under one SONAME, as libdep.so.1 in two folders (DEPENDENCY_VERSION).
namespace plugins {

__attribute__((visibility("default"))) int version_of_dependency() { return DEPENDENCY_VERSION; }

#if defined(DEPENDENCY_STARTS)
int started = 0;
struct starts {
  starts() { started = 7; }
} const at_load;
__attribute__((visibility("default"))) int dependency_started() { return started; }
#endif

} // namespace plugins
