// Certificates, made by the program openssl while a test runs.

#ifndef TESTS_SUPPORT_CERTIFICATES_H_
#define TESTS_SUPPORT_CERTIFICATES_H_

#include <filesystem>
#include <string>

namespace relu {

// A certificate as PEM, and its key.
struct Certificate {
  std::filesystem::path certificate;
  std::filesystem::path key;
};

// Makes an authority in the existing `folder`, in the files NAME.pem and
// NAME.key, with NAME as its common name.
Certificate MakeAuthority(const std::filesystem::path& folder,
                          const std::string& name);

// The same for a server on this host (127.0.0.1, localhost) or a client of it.
Certificate MakeCertificate(const std::filesystem::path& folder,
                            const std::string& name,
                            const Certificate& authority);

}  // namespace relu

#endif  // TESTS_SUPPORT_CERTIFICATES_H_
