# What `cmake --install` puts where, for users of find_package(bight) and of pkg-config. Each library with its
# headers and its .pc file is an install component of its own: bight, and bight-PART for each part.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(bight_cmake_dir "${CMAKE_INSTALL_LIBDIR}/cmake/bight")

# The .pc files find their prefix from their own place, so that an installed tree can be moved.
cmake_path(RELATIVE_PATH CMAKE_INSTALL_PREFIX
           BASE_DIRECTORY "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" OUTPUT_VARIABLE bight_pc_prefix)

# The library TARGET with its static twin, its .pc file and its CMake targets, as component NAME.
function(bight_install target name)
  foreach(kind "" _static)
    target_include_directories(${target}${kind} INTERFACE
      "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
  endforeach()
  install(TARGETS ${target} ${target}_static EXPORT ${name}-targets
          LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT ${name}
                  NAMELINK_COMPONENT ${name}
          ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT ${name})
  install(EXPORT ${name}-targets NAMESPACE bight:: DESTINATION "${bight_cmake_dir}" COMPONENT ${name})
  install(FILES "${PROJECT_BINARY_DIR}/${name}.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig"
          COMPONENT ${name})
endfunction()

install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT bight)

get_property(headers GLOBAL PROPERTY BIGHT_PART_HEADERS)
list(TRANSFORM headers REPLACE "(.+)" "PATTERN;\\1;EXCLUDE")
install(DIRECTORY include/ DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT bight
        FILES_MATCHING PATTERN "*.h" ${headers})
configure_file(cmake/bight.pc.in bight.pc @ONLY)
bight_install(bight bight)
install(TARGETS bight_zygote COMPONENT bight
        DESTINATION "${CMAKE_INSTALL_LIBEXECDIR}/bight-${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}")
configure_package_config_file(cmake/bight-config.cmake.in bight-config.cmake
                              INSTALL_DESTINATION "${bight_cmake_dir}")
write_basic_package_version_file(bight-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/bight-config.cmake"
              "${PROJECT_BINARY_DIR}/bight-config-version.cmake"
              cmake/bight-plain.cmake
        DESTINATION "${bight_cmake_dir}" COMPONENT bight)

get_property(parts GLOBAL PROPERTY BIGHT_PARTS)
foreach(part IN LISTS parts)
  get_property(headers GLOBAL PROPERTY BIGHT_HEADERS_${part})
  get_property(bight_packages GLOBAL PROPERTY BIGHT_PACKAGES_${part})
  get_property(bight_plain GLOBAL PROPERTY BIGHT_PLAIN_${part})
  get_property(bight_required GLOBAL PROPERTY BIGHT_REQUIRES_${part})
  # What pkg-config does not know is named as it is linked.
  set(bight_pc_plain "")
  if(bight_plain)
    list(GET bight_plain 1 library)
    set(bight_pc_plain "-l${library}")
    list(POP_FRONT bight_packages prefix spec)
  endif()
  set(bight_pc_parts "")
  foreach(required IN LISTS bight_required)
    string(APPEND bight_pc_parts ", bight-${required} = ${PROJECT_VERSION}")
  endforeach()
  set(specs ${bight_packages})
  list(FILTER specs EXCLUDE REGEX "^[A-Z0-9]+$")
  list(JOIN specs ", " specs)
  string(REGEX REPLACE "([<>=]+)" " \\1 " bight_pc_requires "${specs}")
  list(TRANSFORM headers PREPEND "include/bight/")
  install(FILES ${headers} DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/bight" COMPONENT bight-${part})
  configure_file(cmake/bight-part.pc.in bight-${part}.pc @ONLY)
  bight_install(bight_${part} bight-${part})
  configure_file(cmake/bight-part.cmake.in bight-${part}.cmake @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/bight-${part}.cmake" DESTINATION "${bight_cmake_dir}"
          COMPONENT bight-${part})
endforeach()
