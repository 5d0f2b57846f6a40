# Fuzz targets for parsers of ours: tests/fuzz/fuzz_NAME.c, with seeds in tests/fuzz/seeds/NAME. In every build
# each is a test that goes through its seeds; with BIGHT_FUZZ it is a program of libFuzzer's as well, which
# scripts/nightly runs.

# bight_fuzz(NAME [LIBS ...])
function(bight_fuzz name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "LIBS")
  bight_test(fuzz/fuzz_${name} SUITE fuzz_${name}.c SOURCES fuzz/replay.c LIBS ${ARG_LIBS}
    ARGS "${CMAKE_CURRENT_SOURCE_DIR}/fuzz/seeds/${name}")
  if(BIGHT_FUZZ)
    add_executable(fuzz_${name} fuzz/fuzz_${name}.c)
    target_link_libraries(fuzz_${name} PRIVATE bight_test_support ${ARG_LIBS})
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzzers fuzz_${name})
  endif()
endfunction()

if(BIGHT_FUZZ)
  add_custom_target(fuzzers)
endif()

bight_fuzz(address)
bight_fuzz(definition)
bight_fuzz(harvest)
if(bight_http)
  bight_fuzz(http_coding LIBS bight::http_static PkgConfig::BIGHT_LIBCURL)
  bight_fuzz(http_headers LIBS bight::http_static PkgConfig::BIGHT_LIBCURL)
  bight_fuzz(http_url LIBS bight::http_static PkgConfig::BIGHT_LIBCURL)
endif()
bight_fuzz(replay_line)
if(bight_server)
  bight_fuzz(static_request LIBS bight::server_static)
endif()
if(TARGET scraper_parts)
  foreach(part page robots scraper_url wire)
    bight_fuzz(${part} LIBS scraper_parts)
  endforeach()
endif()
