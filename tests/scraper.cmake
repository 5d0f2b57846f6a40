# Suites of samples/scraper. Its parts are tested without a runtime; the crawls run the program.
if(TARGET scraper_parts)
  foreach(part charset frontier options page record robots text url utf8)
    bight_test(samples/scraper/scraper_${part} TIMEOUT 240 LIBS scraper_parts)
  endforeach()
endif()
if(TARGET bight-scrape)
  # Two small trees of documents as scripts/trees compares them, and that it says what is missing.
  set(trees "${CMAKE_CURRENT_SOURCE_DIR}/samples/scraper/trees")
  add_test(NAME scraper_trees COMMAND "${PROJECT_SOURCE_DIR}/scripts/trees" --program
           $<TARGET_FILE:bight-scrape> "${trees}/old" "${trees}/new")
  add_test(NAME scraper_trees_finds_missing COMMAND "${PROJECT_SOURCE_DIR}/scripts/trees" --program
           true "${trees}/old")
  math(EXPR timeout "60 * ${test_factor}")
  set_tests_properties(scraper_trees scraper_trees_finds_missing PROPERTIES LABELS scraper
                       TIMEOUT ${timeout} SKIP_RETURN_CODE 77 ENVIRONMENT "${test_env}")
  set_tests_properties(scraper_trees_finds_missing PROPERTIES
                       PASS_REGULAR_EXPRESSION "13 URLs, 13 missing")
  add_library(scraper_program STATIC samples/scraper/scraper_program.c
              samples/scraper/scraper_site.c)
  target_compile_definitions(scraper_program PRIVATE
                             SCRAPER_PROGRAM="$<TARGET_FILE:bight-scrape>")
  target_link_libraries(scraper_program PUBLIC bight_test_support)
  foreach(part crawl ends traps)
    bight_test(samples/scraper/scraper_${part} TIMEOUT 240 LIBS scraper_program)
    add_dependencies(test_scraper_${part} bight-scrape)
  endforeach()
endif()
