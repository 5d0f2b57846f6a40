# Suites of net/.
bight_test(net/resolve/resolve LABELS threads)
bight_test(net/resolve/resolve_close LABELS threads)
foreach(suite connect listener serve unix)
  bight_test(net/stream/${suite})
endforeach()

if(NOT bight_http)
  return()
endif()
set(http_libs bight::http_static PkgConfig::BIGHT_LIBCURL)
bight_test(net/http/http_url LIBS ${http_libs})
if(bight_IDN2)
  target_compile_definitions(test_http_url PRIVATE BIGHT_HAVE_IDN2)
endif()
bight_test(net/http/http_coding LIBS ${http_libs})
foreach(package ZLIB BROTLI ZSTD)
  if(bight_${package})
    target_compile_definitions(test_http_coding PRIVATE BIGHT_HAVE_${package})
  endif()
endforeach()
bight_test(nulls/nulls_http SUITE test_nulls.c SOURCES nulls/http.c LIBS ${http_libs})

if(NOT bight_ZLIB)
  message(STATUS "Suites of the HTTP client are left out: they need zlib")
  return()
endif()

# The client against servers of ours, each in a child of the test.
set(http_sources net/http/http_case.c net/http/http_odd.c net/http/http_server.c)
bight_test(net/http/http SOURCES ${http_sources} LIBS ${http_libs})
# Wants all codings.
if(bight_ZLIB AND bight_BROTLI AND bight_ZSTD)
  bight_test(net/http/http_coded SOURCES ${http_sources} LIBS ${http_libs})
endif()
bight_test(net/http/http_cancel SOURCES ${http_sources} LIBS ${http_libs})
bight_test(net/http/http_hostile SOURCES ${http_sources} LIBS ${http_libs})
bight_test(net/http/http_idle SOURCES ${http_sources} LIBS ${http_libs})
bight_test(net/http/http_libcurl SOURCES ${http_sources} LIBS ${http_libs})
bight_test(net/http/http_methods SOURCES ${http_sources} LIBS ${http_libs})
bight_test(net/http/http_pause SOURCES ${http_sources} LIBS ${http_libs})
bight_test(net/http/http_repeat SOURCES ${http_sources} LIBS ${http_libs})
bight_test(net/http/http_request SOURCES ${http_sources} LIBS ${http_libs})
bight_test(net/http/http_session LABELS threads SOURCES ${http_sources} LIBS ${http_libs})
bight_test(net/http/http_sweep TIMEOUT 240 LIBS ${http_libs} ${counting_libs}
  SOURCES harness/count_blocks.c harness/sweep.c harness/sweep_sites.c ${http_sources})
bight_test(net/http/http_torture TIMEOUT 300 SOURCES net/http/torture.c ${http_sources} LIBS ${http_libs})
bight_test(net/http/http_ways SOURCES ${http_sources} LIBS ${http_libs})

# Against servers of others; skipped where those are not installed (scripts/deps peers).
set(peer_sources ${http_sources} net/http/http_peers.c)
bight_test(net/http/http_held SOURCES ${peer_sources} LIBS ${http_libs})
bight_test(net/http/http_nginx SOURCES ${peer_sources} LIBS ${http_libs})
bight_test(net/http/http_torture_tls TIMEOUT 300 SOURCES net/http/torture.c ${peer_sources} LIBS ${http_libs})
bight_test(net/http/http_stress SOURCES ${peer_sources} LIBS ${http_libs})
bight_test(net/http/http_httpbin SOURCES ${peer_sources} LIBS ${http_libs})

# The servers of samples/net, as programs.
if(TARGET echo)
  bight_test(samples/net/sample_servers SOURCES samples/net/programs.c)
  target_compile_definitions(test_sample_servers PRIVATE SAMPLE_ECHO="$<TARGET_FILE:echo>"
                             SAMPLE_PROXY="$<TARGET_FILE:proxy>")
  add_dependencies(test_sample_servers echo proxy)
endif()
