# Suites of samples/scraper. Its parts are tested without a runtime; the crawls run the program.
if(TARGET scraper_parts)
  foreach(part frontier options page record robots url)
    bight_test(scraper_${part} LIBS scraper_parts)
  endforeach()
endif()
if(TARGET bight-scrape)
  bight_test(scraper_crawl SOURCES test_scraper_crawl.c scraper_site.c TIMEOUT 120)
  target_compile_definitions(test_scraper_crawl
                             PRIVATE SCRAPER_PROGRAM="$<TARGET_FILE:bight-scrape>")
  add_dependencies(test_scraper_crawl bight-scrape)
endif()
