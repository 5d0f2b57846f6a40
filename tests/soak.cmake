# All parts at once, for as long as SOAK_SECONDS says; scripts/nightly runs it for long.
if(bight_http)
  bight_test(soak/soak SOURCES net/http/http_odd.c net/http/http_server.c
    LIBS bight_worker_cases bight::http_static PkgConfig::BIGHT_LIBCURL)
endif()
# A server with many connections; scripts/soak runs it at full length.
bight_test(soak/soak_connections SOURCES soak/load.c harness/count_blocks.c LIBS ${counting_libs})
# Worker processes that are killed, and parents; scripts/killstorm and scripts/orphans run them at full length.
bight_test(soak/killstorm LIBS bight_worker_cases)
bight_test(soak/orphans LIBS bight_worker_cases)
