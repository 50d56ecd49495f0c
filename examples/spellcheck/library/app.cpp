// libspellcheck.so: the deployment as `troupe serve` loads it, by `import_path: libspellcheck.so:app`. Built in the
// versions of speller.hpp (SPELLCHECK_VERSION): what a rebuilt library would be.
#include "web.hpp"
#include <troupe/app/library/application.hpp>

namespace {

#if SPELLCHECK_VERSION == 1
using version = spellcheck::web<spellcheck::speller>;
#elif SPELLCHECK_VERSION == 2
using version = spellcheck::web<spellcheck::suggesting_speller>;
#elif SPELLCHECK_VERSION == 3
using version = spellcheck::web<spellcheck::broken_speller>;
#else
using version = spellcheck::web<spellcheck::crashing_speller>;
#endif

} // namespace

// `args` of the config file: {"dictionary": "/usr/share/hunspell/en_US"}
TROUPE_APPLICATION(app) { app.deploy<version>(troupe::deployment_options{"speller"}.init_args(app.args())); }
