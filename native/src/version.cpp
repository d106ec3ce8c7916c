// What this build of the library is.
#include "tenon_build.h"

extern "C" __attribute__((visibility("default"))) const char* tenon_version() {
    return TENON_BUILD_VERSION " (" TENON_BUILD_COMMIT ")";
}
