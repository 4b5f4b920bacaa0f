#include "tests/support/certificates.h"

#include <cstdlib>
#include <filesystem>
#include <string>

#include "core/base/check.h"
#include "fmt/format.h"

namespace relu {
namespace {

Certificate Make(const std::filesystem::path& folder, const std::string& name,
                 const std::string& options) {
  const Certificate made = {.certificate = folder / (name + ".pem"),
                            .key = folder / (name + ".key")};
  const std::string command = fmt::format(
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 "
      "-nodes -days 2 -subj /CN={} -keyout '{}' -out '{}' {} 2>/dev/null",
      name, made.key.string(), made.certificate.string(), options);
  CHECK(std::system(command.c_str()) == 0);
  return made;
}

}  // namespace

Certificate MakeAuthority(const std::filesystem::path& folder,
                          const std::string& name) {
  return Make(folder, name, "");
}

Certificate MakeCertificate(const std::filesystem::path& folder,
                            const std::string& name,
                            const Certificate& authority) {
  return Make(
      folder, name,
      fmt::format("-CA '{}' -CAkey '{}' -addext basicConstraints="
                  "critical,CA:FALSE -addext "
                  "subjectAltName=IP:127.0.0.1,DNS:localhost",
                  authority.certificate.string(), authority.key.string()));
}

}  // namespace relu
