# Suites of samples/scraper. Its parts are tested without a runtime; the crawls run the program.
if(TARGET scraper_parts)
  foreach(part frontier options page record robots url)
    bight_test(samples/scraper/scraper_${part} TIMEOUT 120 LIBS scraper_parts)
  endforeach()
endif()
if(TARGET bight-scrape)
  foreach(part crawl ends traps)
    bight_test(samples/scraper/scraper_${part} TIMEOUT 120
      SOURCES samples/scraper/scraper_program.c samples/scraper/scraper_site.c)
    target_compile_definitions(test_scraper_${part}
                               PRIVATE SCRAPER_PROGRAM="$<TARGET_FILE:bight-scrape>")
    add_dependencies(test_scraper_${part} bight-scrape)
  endforeach()
endif()
