// JSON Schema of the config file.
#pragma once

#include <troupe/messages/json_doc.hpp>

namespace troupe::config {

/// JSON Schema 2020-12, made from the same lists that the reader uses. Whatever it refuses the reader refuses too; the
/// reader also checks what a schema cannot say (unique names, rules across options).
json json_schema();

} // namespace troupe::config
