# Suites of samples/scraper. Its parts are tested without a runtime; the crawls run the program.
if(TARGET scraper_parts)
  foreach(part page robots url)
    bight_test(scraper_${part} LIBS scraper_parts)
  endforeach()
endif()
