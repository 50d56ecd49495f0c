// A shared library that knows nothing of troupe.
extern "C" __attribute__((visibility("default"))) int plain() { return 1; }
