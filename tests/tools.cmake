# Tests of the house itself: layers, generated pages, installation.
