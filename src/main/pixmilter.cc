// pixmilter: the milter's master process and the commands.
#include "cli/command_line.h"

int main(int argc, char** argv) { return pixmilter::cli::run(argc, argv); }
