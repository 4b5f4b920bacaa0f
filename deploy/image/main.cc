// relud and reluctl in one file, for the container image: the libraries that
// both need are most of either. Which of them it is depends on the name that it
// was started by.

#include <string_view>

// The mains of server/main.cc and client/cli/main.cc, renamed by the build.
int ReludMain(int argc, char** argv);
int ReluctlMain(int argc, char** argv);

int main(int argc, char** argv) {
  std::string_view name = argc > 0 ? argv[0] : "";
  name.remove_prefix(name.find_last_of('/') + 1);  // npos + 1 is 0.
  return name == "reluctl" ? ReluctlMain(argc, argv) : ReludMain(argc, argv);
}
