# Suites of net/.
set(sweep_sources harness/count_blocks.c harness/sweep.c harness/sweep_programs.c harness/sweep_sites.c)
bight_test(net/resolve/resolve LABELS threads)
bight_test(net/resolve/resolve_ask LABELS threads)
bight_test(net/resolve/resolve_close LABELS threads)
bight_test(net/monitor/monitor)
bight_test(net/monitor/metrics)
bight_test(net/stream/accept SOURCES harness/opening.c)
foreach(suite connect connect_names listener unix)
  bight_test(net/stream/${suite})
endforeach()
foreach(suite serve serve_end)
  bight_test(net/stream/${suite} SOURCES net/stream/served.c)
endforeach()
# Against programs of others; skipped where those are not installed (scripts/deps peers).
foreach(suite stream_ncat stream_socat)
  bight_test(net/stream/${suite} SOURCES net/stream/peers.c net/stream/served.c)
endforeach()

if(bight_tls)
  set(tls_libs bight::tls_static PkgConfig::BIGHT_OPENSSL)
  bight_test(nulls/nulls_tls SUITE test_nulls.c SOURCES nulls/tls.c LIBS ${tls_libs})
  set(tls_sources net/tls/authority.c net/tls/wire.c)
  foreach(suite context handshake peers serve waits)
    bight_test(net/tls/tls_${suite} LIBS ${tls_libs} SOURCES ${tls_sources})
  endforeach()
  foreach(suite directions end stream)
    bight_test(net/tls/tls_${suite} LIBS ${tls_libs} SOURCES net/tls/talk.c ${tls_sources})
  endforeach()
  bight_test(net/tls/tls_sweep TIMEOUT 240 LIBS ${tls_libs} ${counting_libs}
    SOURCES ${sweep_sources} ${tls_sources})
endif()
if(bight_server)
  set(server_libs bight::server_static)
  bight_test(nulls/nulls_server SUITE test_nulls.c SOURCES nulls/server.c LIBS ${server_libs})
  bight_test(ways/waits_server SUITE test_waits.c LIBS ${server_libs} ${counting_libs}
    SOURCES harness/count_blocks.c net/server/talk.c ways/exchange.c ways/ways_body.c
    ways/ways_server.c
    ARGS "${PROJECT_SOURCE_DIR}/docs/waiting.md")
  if(bight_ZLIB)
    bight_test(net/server/compress LIBS ${server_libs} PkgConfig::BIGHT_ZLIB
      SOURCES net/server/talk.c)
  endif()
  bight_test(net/page/page LIBS ${server_libs} SOURCES net/server/talk.c)
  bight_test(net/page/page_browser LIBS ${server_libs} SOURCES harness/browser.c)
  target_compile_definitions(test_page_browser PRIVATE
                             LOOK="${CMAKE_CURRENT_SOURCE_DIR}/net/page/look.py")
  foreach(suite events form multipart proxied router server server_asked)
    bight_test(net/server/${suite} LIBS ${server_libs} SOURCES net/server/talk.c)
  endforeach()
  foreach(suite cancelled gone limits resets times trace upgrade waits)
    bight_test(net/server/server_${suite} LIBS ${server_libs} SOURCES net/server/talk.c)
  endforeach()
  foreach(suite files sockets)
    bight_test(net/server/server_${suite} LIBS ${server_libs} SOURCES net/server/listened.c)
  endforeach()
  # Behind programs of others; skipped where those are not installed (scripts/deps peers).
  set(server_peer_sources net/server/echoed.c net/server/listened.c net/server/peer.c)
  foreach(suite haproxy loads nginx)
    bight_test(net/server/server_${suite} LIBS ${server_libs} SOURCES ${server_peer_sources})
  endforeach()
  bight_test(net/server/server_sweep TIMEOUT 240 LIBS ${server_libs} ${counting_libs}
    SOURCES ${sweep_sources} net/server/talk.c)
  foreach(suite server_malformed server_odd)
    bight_test(net/server/${suite} LIBS ${server_libs}
      SOURCES net/server/talk.c net/server/pieces.c)
  endforeach()
  if(bight_tls)
    bight_test(net/server/server_tls LIBS ${server_libs} ${tls_libs}
      SOURCES net/server/talk.c ${tls_sources})
  endif()
  foreach(suite static_conditions static_parts)
    bight_test(net/server/${suite} LIBS ${server_libs})
  endforeach()
  bight_test(net/server/files LIBS ${server_libs} SOURCES net/server/site.c)
  foreach(suite static static_asked static_trouble)
    bight_test(net/server/${suite} LIBS ${server_libs}
      SOURCES net/server/site.c net/server/site_rows.c)
  endforeach()
  bight_test(net/server/static_sweep TIMEOUT 240 LIBS ${server_libs} ${counting_libs}
    SOURCES ${sweep_sources} net/server/site.c)
  if(TARGET bight-serve)
    # Python's http.client and curl are its peers. Valgrind is for programs of ours.
    set(launcher "${test_launcher}")
    if(BIGHT_SANITIZE STREQUAL "valgrind")
      set(launcher "")
    endif()
    add_test(NAME sample_serve COMMAND ${launcher} "${CMAKE_CURRENT_SOURCE_DIR}/samples/serve/peers.py"
             $<TARGET_FILE:bight-serve>)
    math(EXPR timeout "60 * ${test_factor}")
    set_tests_properties(sample_serve PROPERTIES LABELS net TIMEOUT ${timeout} ENVIRONMENT "${test_env}")
  endif()
endif()
if(bight_websocket)
  set(websocket_libs bight::websocket_static)
  bight_test(nulls/nulls_websocket SUITE test_nulls.c SOURCES nulls/websocket.c LIBS ${websocket_libs})
  set(websocket_sources net/server/talk.c net/websocket/frames.c)
  bight_test(ways/waits_websocket SUITE test_waits.c LIBS ${websocket_libs} ${counting_libs}
    SOURCES harness/count_blocks.c ${websocket_sources} ways/exchange.c ways/ways_websocket.c
    ARGS "${PROJECT_SOURCE_DIR}/docs/waiting.md")
  foreach(suite websocket websocket_end websocket_talk websocket_waits)
    bight_test(net/websocket/${suite} LIBS ${websocket_libs} SOURCES ${websocket_sources})
  endforeach()
  if(bight_tls)
    bight_test(net/websocket/websocket_tls LIBS ${websocket_libs} ${tls_libs}
      SOURCES ${websocket_sources} ${tls_sources})
  endif()
  # Against Python's aiohttp; skipped where that is not installed (scripts/deps peers).
  bight_test(net/server/server_aiohttp LIBS ${websocket_libs} SOURCES ${server_peer_sources})
  target_compile_definitions(test_server_aiohttp PRIVATE
    AIOHTTP_CLIENT="${CMAKE_CURRENT_SOURCE_DIR}/net/server/aiohttp_client.py")
  # Against Python's websockets; skipped where that is not installed (scripts/deps peers).
  bight_test(net/websocket/websocket_peers LIBS ${websocket_libs})
  bight_test(net/websocket/websocket_sweep TIMEOUT 240 LIBS ${websocket_libs} ${counting_libs}
    SOURCES ${sweep_sources})
endif()
bight_test(net/stream/pass)
# What programs of samples/ share.
foreach(suite command service)
  bight_test(samples/common/common_${suite} SOURCES "${PROJECT_SOURCE_DIR}/samples/common/${suite}.c")
endforeach()
foreach(suite udp udp_end udp_open)
  bight_test(net/udp/${suite})
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
if(bight_json)
  set(json_libs bight::json_static PkgConfig::BIGHT_JANSSON ${http_libs})
  bight_test(nulls/nulls_json SUITE test_nulls.c SOURCES nulls/json.c LIBS ${json_libs})
endif()

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
bight_test(net/http/http_defaults SOURCES ${http_sources} LIBS ${http_libs})
bight_test(net/http/http_hostile SOURCES ${http_sources} LIBS ${http_libs})
bight_test(net/http/http_idle SOURCES ${http_sources} LIBS ${http_libs})
bight_test(net/http/http_libcurl SOURCES ${http_sources} LIBS ${http_libs})
if(bight_json)
  bight_test(net/json/http_json SOURCES ${http_sources} LIBS ${json_libs})
endif()
bight_test(net/http/http_methods SOURCES ${http_sources} LIBS ${http_libs})
bight_test(net/http/http_pause SOURCES ${http_sources} LIBS ${http_libs})
bight_test(net/http/http_trace SOURCES ${http_sources} LIBS ${http_libs})
bight_test(net/http/http_repeat SOURCES ${http_sources} LIBS ${http_libs})
bight_test(net/http/http_request SOURCES ${http_sources} LIBS ${http_libs})
bight_test(net/http/http_session LABELS threads SOURCES harness/opening.c ${http_sources}
  LIBS ${http_libs})
bight_test(net/http/http_save SOURCES ${http_sources} LIBS ${http_libs})
bight_test(net/http/http_sweep TIMEOUT 240 LIBS ${http_libs} ${counting_libs}
  SOURCES ${sweep_sources} ${http_sources})
bight_test(net/http/http_torture TIMEOUT 300 SOURCES net/http/torture.c ${http_sources} LIBS ${http_libs})
bight_test(net/http/http_text SOURCES ${http_sources} LIBS ${http_libs})
bight_test(net/http/http_told SOURCES ${http_sources} LIBS ${http_libs})
bight_test(net/http/http_ways SOURCES ${http_sources} LIBS ${http_libs})

if(bight_server)
  bight_test(net/http/http_fields SOURCES ${http_sources} net/server/listened.c
    LIBS ${http_libs} ${server_libs})
  bight_test(net/http/http_multipart SOURCES ${http_sources} net/server/listened.c
    LIBS ${http_libs} ${server_libs})
  bight_test(net/http/http_source SOURCES ${http_sources} net/server/listened.c
    LIBS ${http_libs} ${server_libs})
  bight_test(net/http/http_upload SOURCES ${http_sources} net/server/listened.c
    LIBS ${http_libs} ${server_libs})
endif()

# Against servers of others; skipped where those are not installed (scripts/deps peers).
set(peer_sources ${http_sources} net/http/http_peers.c)
bight_test(net/http/http_held SOURCES ${peer_sources} LIBS ${http_libs})
bight_test(net/http/http_nginx SOURCES ${peer_sources} LIBS ${http_libs})
bight_test(net/http/http_torture_tls TIMEOUT 300 SOURCES net/http/torture.c ${peer_sources} LIBS ${http_libs})
bight_test(net/http/http_stress SOURCES ${peer_sources} LIBS ${http_libs})
bight_test(net/http/http_httpbin SOURCES ${peer_sources} LIBS ${http_libs})

# The servers of samples/net, as programs. Those named after tools are skipped without them (scripts/deps peers).
if(TARGET echo)
  bight_test(samples/net/sample_servers SOURCES samples/net/programs.c)
  target_compile_definitions(test_sample_servers PRIVATE SAMPLE_ECHO="$<TARGET_FILE:echo>"
                             SAMPLE_PROXY="$<TARGET_FILE:proxy>")
  add_dependencies(test_sample_servers echo proxy)
  bight_test(samples/net/sample_chat SOURCES samples/net/programs.c)
  target_compile_definitions(test_sample_chat PRIVATE SAMPLE_CHAT="$<TARGET_FILE:chat>")
  add_dependencies(test_sample_chat chat)
  bight_test(samples/net/sample_ports)
  target_compile_definitions(test_sample_ports PRIVATE SAMPLE_PORTS="$<TARGET_FILE:ports>")
  add_dependencies(test_sample_ports ports)
  foreach(suite sample_redis sample_redis_tools)
    bight_test(samples/net/${suite} SOURCES samples/net/programs.c)
    target_compile_definitions(test_${suite} PRIVATE SAMPLE_REDIS="$<TARGET_FILE:redis>")
    add_dependencies(test_${suite} redis)
  endforeach()
endif()
if(TARGET keyval)
  bight_test(samples/net/sample_keyval SOURCES samples/net/programs.c samples/net/tool.c)
  target_compile_definitions(test_sample_keyval PRIVATE SAMPLE_KEYVAL="$<TARGET_FILE:keyval>"
                             SAMPLE_REDIS="$<TARGET_FILE:redis>")
  add_dependencies(test_sample_keyval keyval redis)
endif()
if(TARGET query)
  bight_test(samples/net/sample_query SOURCES samples/net/postgres.c samples/net/tool.c
    LIBS PkgConfig::LIBPQ)
  target_compile_definitions(test_sample_query PRIVATE SAMPLE_QUERY="$<TARGET_FILE:query>")
  add_dependencies(test_sample_query query)
  bight_test(samples/net/sample_pg LIBS PkgConfig::LIBPQ
    SOURCES "${PROJECT_SOURCE_DIR}/samples/net/pg.c" samples/net/postgres.c samples/net/tool.c)
endif()
if(TARGET tls_proxy)
  bight_test(samples/net/sample_tls LIBS ${tls_libs} SOURCES samples/net/programs.c ${tls_sources})
  target_compile_definitions(test_sample_tls PRIVATE SAMPLE_ECHO="$<TARGET_FILE:echo>"
                             SAMPLE_TLS_PROXY="$<TARGET_FILE:tls_proxy>")
  add_dependencies(test_sample_tls echo tls_proxy)
endif()
if(TARGET web_chat)
  bight_test(samples/net/sample_web_chat LIBS ${websocket_libs} SOURCES samples/net/programs.c)
  target_compile_definitions(test_sample_web_chat PRIVATE SAMPLE_WEB_CHAT="$<TARGET_FILE:web_chat>")
  add_dependencies(test_sample_web_chat web_chat)
  bight_test(samples/net/sample_web_chat_browser SOURCES samples/net/programs.c samples/net/tool.c
    harness/browser.c)
  target_compile_definitions(test_sample_web_chat_browser PRIVATE SAMPLE_WEB_CHAT="$<TARGET_FILE:web_chat>"
                             BROWSER="${CMAKE_CURRENT_SOURCE_DIR}/samples/net/browser.py")
  add_dependencies(test_sample_web_chat_browser web_chat)
endif()
if(TARGET bight-reverse)
  set(suites reverse reverse_bodies reverse_streams)
  if(bight_websocket)
    list(APPEND suites reverse_tunnel)
  endif()
  # Among programs of others; skipped where those are not installed (scripts/deps peers).
  list(APPEND suites reverse_peers)
  foreach(suite IN LISTS suites)
    bight_test(samples/reverse/${suite} LIBS ${server_libs} ${websocket_libs}
      SOURCES samples/reverse/front.c samples/net/programs.c ${server_peer_sources})
    target_compile_definitions(test_${suite} PRIVATE SAMPLE_REVERSE="$<TARGET_FILE:bight-reverse>")
    add_dependencies(test_${suite} bight-reverse)
  endforeach()
  if(TARGET web_chat)
    bight_test(samples/reverse/reverse_chat LIBS ${server_libs}
      SOURCES samples/net/programs.c ${server_peer_sources})
    target_compile_definitions(test_reverse_chat PRIVATE
      SAMPLE_REVERSE="$<TARGET_FILE:bight-reverse>" SAMPLE_WEB_CHAT="$<TARGET_FILE:web_chat>"
      CHAT_CLIENT="${CMAKE_CURRENT_SOURCE_DIR}/samples/reverse/chat_client.py")
    add_dependencies(test_reverse_chat bight-reverse web_chat)
  endif()
endif()
