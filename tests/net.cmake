# Suites of net/.
bight_test(resolve LABELS threads)
bight_test(resolve_close LABELS threads)
bight_test(http_url LIBS PkgConfig::LIBCURL)

# The client against servers of ours, each in a child of the test.
set(http_sources http_case.c http_server.c)
bight_test(http SOURCES test_http.c ${http_sources})
bight_test(http_cancel SOURCES test_http_cancel.c ${http_sources} LIBS PkgConfig::LIBCURL)
bight_test(http_hostile SOURCES test_http_hostile.c ${http_sources} LIBS PkgConfig::LIBCURL)
bight_test(http_libcurl SOURCES test_http_libcurl.c ${http_sources} LIBS PkgConfig::LIBCURL)
bight_test(http_request SOURCES test_http_request.c ${http_sources} LIBS PkgConfig::LIBCURL)
bight_test(http_session LABELS threads SOURCES test_http_session.c ${http_sources} LIBS PkgConfig::LIBCURL)
bight_test(http_sweep TIMEOUT 120 LIBS PkgConfig::LIBCURL ${counting_libs}
  SOURCES test_http_sweep.c count_blocks.c sweep.c sweep_sites.c ${http_sources})
bight_test(http_ways SOURCES test_http_ways.c ${http_sources} LIBS PkgConfig::LIBCURL)

# Against servers of others; skipped where those are not installed (scripts/deps test).
set(peer_sources ${http_sources} http_peers.c)
bight_test(http_nginx SOURCES test_http_nginx.c ${peer_sources} LIBS PkgConfig::LIBCURL)
bight_test(http_stress SOURCES test_http_stress.c ${peer_sources} LIBS PkgConfig::LIBCURL)
bight_test(http_httpbin SOURCES test_http_httpbin.c ${peer_sources})
