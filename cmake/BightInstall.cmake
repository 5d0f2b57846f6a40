# What `cmake --install` puts where, for users of find_package(bight) and of pkg-config.

include(CMakePackageConfigHelpers)

set(bight_cmake_dir "${CMAKE_INSTALL_LIBDIR}/cmake/bight")

install(TARGETS bight bight_static EXPORT bight-targets
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(DIRECTORY include/ DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h")
install(EXPORT bight-targets NAMESPACE bight:: DESTINATION "${bight_cmake_dir}")

configure_package_config_file(cmake/bight-config.cmake.in bight-config.cmake
                              INSTALL_DESTINATION "${bight_cmake_dir}")
write_basic_package_version_file(bight-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/bight-config.cmake"
              "${PROJECT_BINARY_DIR}/bight-config-version.cmake"
        DESTINATION "${bight_cmake_dir}")

# The .pc file finds its prefix from its own place, so that an installed tree can be moved.
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX
           BASE_DIRECTORY "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" OUTPUT_VARIABLE bight_pc_prefix)
configure_file(cmake/bight.pc.in bight.pc @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/bight.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
