# What every target of ours is made with: flags in one place, and one function
# for a library, a program and a test. Nothing sets global flags.

add_library(common_options INTERFACE)
target_compile_options(common_options INTERFACE
  # gRPC brings it; precompiled headers want it everywhere or nowhere.
  -pthread
  # The bits of an answer are a contract: only our own fused operations.
  -ffp-contract=off
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
  -Wnon-virtual-dtor -Woverloaded-virtual -Wold-style-cast -Wcast-align
  -Wimplicit-fallthrough -Wundef
  # Joined sources need a gigabyte: GCC collects garbage from 128 MB on, which
  # takes a tenth of the time.
  $<$<CXX_COMPILER_ID:GNU>:SHELL:--param ggc-min-heapsize=1000000>
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety -Wthread-safety-beta>
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wlogical-op>
  $<$<BOOL:${RELU_WERROR}>:-Werror>)

# relu_options(project_options address undefined): a kind of targets, and what
# watches their code.
function(relu_options name)
  add_library(${name} INTERFACE)
  target_link_libraries(${name} INTERFACE common_options)
  if(RELU_SANITIZE)
    list(JOIN ARGN "," sanitizers)
    target_compile_options(${name} INTERFACE
      -fsanitize=${sanitizers} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(${name} INTERFACE
      -fsanitize=${RELU_SANITIZE} -fuse-ld=lld)
    if("undefined" IN_LIST ARGN)
      target_compile_options(${name} INTERFACE
        -fsanitize-ignorelist=${PROJECT_SOURCE_DIR}/cmake/sanitizers.ignore)
    endif()
  endif()
endfunction()

string(REPLACE "," ";" sanitizers "${RELU_SANITIZE}")
relu_options(project_options ${sanitizers})
# Tests are compiled for a quick build, not for a quick run: what else would be
# found in their own code is not worth the time, which is two thirds of it.
list(REMOVE_ITEM sanitizers undefined)
relu_options(test_options ${sanitizers})
target_compile_options(test_options INTERFACE -O0)
if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo" AND NOT RELU_SANITIZE)
  # To debug a test there is the preset dev.
  target_compile_options(test_options INTERFACE -g0)
endif()

# Headers that nearly every source includes, compiled once for all: it halves
# the time of a build. `<name>_headers` serves the targets that reuse it.
set(pch_option $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)  # ccache asks for it.
function(relu_shared_headers name)
  cmake_parse_arguments(ARG "" "" "HEADERS;DEPS" ${ARGN})
  set(source ${PROJECT_BINARY_DIR}/${name}.cc)
  if(NOT EXISTS ${source})
    file(WRITE ${source} "")
  endif()
  add_library(${name} OBJECT ${source})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS})
  target_compile_options(${name} PRIVATE ${pch_option})
  target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
endfunction()

relu_shared_headers(library_headers
  HEADERS <absl/status/statusor.h> <fmt/format.h> <algorithm> <chrono>
    <filesystem> <functional> <map> <memory> <optional> <span> <string> <vector>
  DEPS project_options absl::statusor fmt::fmt)
if(BUILD_TESTING)
  relu_shared_headers(test_headers
    HEADERS <gmock/gmock.h> <gtest/gtest.h> <absl/status/statusor.h>
    DEPS test_options absl::statusor GTest::gmock)
endif()

# Compiles the sources of `target`, up to `count` at a time, as one, which saves
# the time for what they include. So names in anonymous namespaces differ within
# a folder. (Not by UNITY_BUILD, whose files hold the path of this clone: ccache
# would find nothing for the next one.)
function(relu_join_sources target count)
  if(NOT RELU_UNITY)
    return()
  endif()
  get_target_property(sources ${target} SOURCES)
  set(joined_sources)
  while(sources)
    list(SUBLIST sources 0 ${count} part)
    list(REMOVE_ITEM sources ${part})
    set(text)
    foreach(source ${part})
      cmake_path(ABSOLUTE_PATH source NORMALIZE)
      cmake_path(RELATIVE_PATH source BASE_DIRECTORY ${PROJECT_SOURCE_DIR})
      string(APPEND text "#include \"${source}\"\n")
    endforeach()
    list(LENGTH joined_sources number)
    set(joined ${CMAKE_CURRENT_BINARY_DIR}/${target}_${number}.cc)
    file(CONFIGURE OUTPUT ${joined} CONTENT "${text}" @ONLY)
    list(APPEND joined_sources ${joined})
  endwhile()
  set_target_properties(${target} PROPERTIES SOURCES "${joined_sources}")
endfunction()

# relu_library(core_batching HEADERS a.h SOURCES a.cc DEPS core_base)
# The architecture test checks the #include lines against ARCHITECTURE.md.
# HEADERS and SOURCES are relative to the calling folder. SIMD: without the
# shared headers, which Highway's targets cannot share. SMALL: compiled for size,
# as what runs once for each command of a user is; FAST: for speed, whatever its
# size (neither with a sanitizer). FUZZED: fuzzers see which branches an input
# takes; it makes a build slower.
function(relu_library name)
  cmake_parse_arguments(ARG "SIMD;SMALL;FAST;FUZZED" "" "HEADERS;SOURCES;DEPS;PRIVATE_DEPS"
    ${ARGN})
  list(TRANSFORM ARG_HEADERS PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name}
    PUBLIC ${ARG_DEPS}
    PRIVATE $<BUILD_INTERFACE:project_options> ${ARG_PRIVATE_DEPS})
  target_sources(${name} PUBLIC FILE_SET HEADERS
    BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${ARG_HEADERS})
  if(ARG_FUZZED AND RELU_FUZZ)
    target_compile_options(${name} PRIVATE
      -fsanitize-coverage=inline-8bit-counters,indirect-calls,trace-cmp,pc-table)
  endif()
  if((ARG_SMALL OR ARG_FAST) AND NOT RELU_SANITIZE)
    # Shared headers are for one way of optimising alone.
    target_compile_options(${name} PRIVATE $<IF:$<BOOL:${ARG_FAST}>,-O3,-Os>)
    relu_join_sources(${name} 24)
  elseif(NOT ARG_SIMD)
    target_link_libraries(${name} PRIVATE $<BUILD_INTERFACE:fmt::fmt>)
    target_compile_options(${name} PRIVATE ${pch_option})
    target_precompile_headers(${name} REUSE_FROM library_headers)
    relu_join_sources(${name} 24)
  endif()
endfunction()

# relu_program(relud SOURCES main.cc DEPS server_lib)
function(relu_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE project_options ${ARG_DEPS})
  relu_join_sources(${name} 24)
endfunction()

# relu_link_archives(relud SHARED "libssl.*"): has the libraries of others within
# the program, but for those that match a pattern of the shell. A call into a
# shared library is indirect, and gRPC makes many: 1.2 times as many calls a
# second. (What a sanitizer watches is linked as usual.)
function(relu_link_archives target)
  cmake_parse_arguments(ARG "" "SHARED" "" ${ARGN})
  if(RELU_ARCHIVES AND NOT RELU_SANITIZE)
    set_target_properties(${target} PROPERTIES CXX_LINKER_LAUNCHER
      "${PROJECT_SOURCE_DIR}/cmake/link_archives.sh;${ARG_SHARED}")
  endif()
endfunction()

# relu_tests(core_batching_tests SOURCES scheduler_test.cc ...
#            DEPS core_batching [LABELS grpc] [TIMEOUT 60] [PARTS 2])
# The tests of one folder: one program, which links and starts once, and one
# entry of ctest; with PARTS so many entries, which run at the same time.
# Runs from the root of the source tree, so that tests/testdata is found.
function(relu_tests name)
  cmake_parse_arguments(ARG "" "TIMEOUT;PARTS" "SOURCES;DEPS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name}
    PRIVATE test_options ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  target_compile_options(${name} PRIVATE ${pch_option})
  target_precompile_headers(${name} REUSE_FROM test_headers)
  relu_join_sources(${name} 24)
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 900)  # What hangs, not what is slow.
  endif()
  if(NOT ARG_PARTS)
    set(ARG_PARTS 1)
  endif()
  math(EXPR last "${ARG_PARTS} - 1")
  foreach(part RANGE ${last})
    set(entry ${name})
    if(last GREATER 0)
      set(entry ${name}_${part})
    endif()
    add_test(NAME ${entry} COMMAND ${name}
      WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${entry} PROPERTIES
      TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}"
      ENVIRONMENT "GTEST_TOTAL_SHARDS=${ARG_PARTS};GTEST_SHARD_INDEX=${part};GTEST_BRIEF=1")
  endforeach()
endfunction()
