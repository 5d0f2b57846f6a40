# Suites of samples/scraper.
