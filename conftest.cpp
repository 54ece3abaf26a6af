/* confdefs.h */
#define PACKAGE_NAME "pixmilter"
#define PACKAGE_TARNAME "pixmilter"
#define PACKAGE_VERSION "0.1.0"
#define PACKAGE_STRING "pixmilter 0.1.0"
#define PACKAGE_BUGREPORT ""
#define PACKAGE_URL ""
/* end confdefs.h.  */
/* no default includes */

#include <CLI/CLI.hpp>
