#include "tests/benchmark/process_figures.h"

#include <elf.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "tests/integration/server_process.h"

namespace relu::benchmarks {
namespace {

constexpr double kMega = 1e6;

std::size_t LoadedBytes(const std::filesystem::path& program) {
  std::ifstream file(program, std::ios::binary);
  Elf64_Ehdr header{};
  file.read(reinterpret_cast<char*>(&header), sizeof(header));
  std::vector<Elf64_Phdr> parts(header.e_phnum);
  file.seekg(static_cast<std::streamoff>(header.e_phoff));
  file.read(reinterpret_cast<char*>(parts.data()),
            static_cast<std::streamsize>(parts.size() * sizeof(Elf64_Phdr)));
  CHECK(file.good());
  std::size_t bytes = 0;
  for (const Elf64_Phdr& part : parts) {
    bytes += part.p_type == PT_LOAD ? part.p_filesz : 0;
  }
  return bytes;
}

}  // namespace

ProcessFigures MeasureProcesses(const std::string& relud,
                                const std::filesystem::path& models,
                                int starts) {
  ProcessFigures figures;
  for (int i = 0; i < starts; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const auto process = ServerProcess::Start(relud, ReludFlags(models));
    figures.ready_ms.push_back(std::chrono::duration<double, std::milli>(
                                   std::chrono::steady_clock::now() - start)
                                   .count());
    CHECK(process.ok());
    figures.resident_mb.push_back(
        static_cast<double>((*process)->StatusKib("VmRSS") * 1024) / kMega);
  }
  figures.loaded_mb = static_cast<double>(LoadedBytes(relud)) / kMega;
  figures.file_mb =
      static_cast<double>(std::filesystem::file_size(relud)) / kMega;
  return figures;
}

}  // namespace relu::benchmarks
