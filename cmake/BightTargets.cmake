# How layers become libraries. The one that everybody needs is libbight. What needs a package of its own is a
# part: a library libbight-PART beside it, with headers, a .pc file and a CMake component of its own, so that
# which packages were found never changes what another library is. The top declares each part with
# bight_part(), a layer's folder calls bight_layer(), and the top calls bight_libraries() once, after all layers.

# bight_part(PART PACKAGE PREFIX SPEC HEADERS ... [INSTEAD OBJECTS] [PLAIN LIBRARY HEADER] [REQUIRES PART ...]
# [OPTIONAL PREFIX SPEC ...]): the option BIGHT_PART
# and, for the caller, the variable bight_PART: whether the part is built. SPEC is what pkg-config is asked for, such
# as "libcurl>=7.88"; PREFIX names the target PkgConfig::BIGHT_PREFIX. INSTEAD: if there is an OBJECT library of that
# name, it becomes part of the part and the package is not asked for. PLAIN: where pkg-config does not know the
# package, the library of that name with that header does. REQUIRES are other parts, declared before, without which
# this one is not built. HEADERS, below include/bight, are installed
# with the part only. What is OPTIONAL changes what the part can do inside, never its interface: the option
# BIGHT_PREFIX, and bight_PREFIX for the caller: whether it is used.
function(bight_part part)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "INSTEAD" "PACKAGE;PLAIN;REQUIRES;HEADERS;OPTIONAL")
  list(GET ARG_PACKAGE 0 prefix)
  list(GET ARG_PACKAGE 1 spec)
  string(TOUPPER "BIGHT_${part}" option)
  set(${option} auto CACHE STRING "Build libbight-${part}: auto (if there is ${spec}), ON or OFF")
  set_property(CACHE ${option} PROPERTY STRINGS auto ON OFF)
  set(built FALSE)
  set(packages ${prefix} "${spec}")
  set(lacking "")
  foreach(required IN LISTS ARG_REQUIRES)
    if(NOT bight_${required})
      string(APPEND lacking " libbight-${required}")
    endif()
  endforeach()
  if(lacking AND ${option} AND NOT ${option} STREQUAL "auto")
    message(FATAL_ERROR "libbight-${part} needs${lacking}")
  elseif(lacking)
    message(STATUS "libbight-${part} is left out: it needs${lacking}")
  elseif(ARG_INSTEAD AND TARGET ${ARG_INSTEAD})
    if(${option} STREQUAL "auto" OR ${option})
      set(built TRUE)
      set(packages "")
      set_property(GLOBAL APPEND PROPERTY BIGHT_LAYERS_${part} ${ARG_INSTEAD})
    endif()
  elseif(ARG_PLAIN AND ${option})
    bight_plain(${prefix} "${spec}" ${ARG_PLAIN})
    if(found)
      set(built TRUE)
      set_property(GLOBAL PROPERTY BIGHT_PLAIN_${part} ${plain})
    elseif(${option} STREQUAL "auto")
      message(STATUS "libbight-${part} is left out: it needs ${spec}")
    else()
      message(FATAL_ERROR "libbight-${part} needs ${spec}")
    endif()
  elseif(${option} STREQUAL "auto")
    pkg_check_modules(BIGHT_${prefix} IMPORTED_TARGET GLOBAL "${spec}")
    if(BIGHT_${prefix}_FOUND)
      set(built TRUE)
    else()
      message(STATUS "libbight-${part} is left out: it needs ${spec}")
    endif()
  elseif(${option})
    pkg_check_modules(BIGHT_${prefix} REQUIRED IMPORTED_TARGET GLOBAL "${spec}")
    set(built TRUE)
  endif()
  set(bight_${part} ${built} PARENT_SCOPE)
  set_property(GLOBAL APPEND PROPERTY BIGHT_PART_HEADERS ${ARG_HEADERS})
  if(built)
    while(ARG_OPTIONAL)
      list(POP_FRONT ARG_OPTIONAL prefix spec)
      bight_optional(${part} ${prefix} "${spec}")
      set(bight_${prefix} ${used} PARENT_SCOPE)
      if(used)
        list(APPEND packages ${prefix} "${spec}")
      endif()
    endwhile()
    set_property(GLOBAL APPEND PROPERTY BIGHT_PARTS ${part})
    set_property(GLOBAL PROPERTY BIGHT_PACKAGES_${part} ${packages})
    set_property(GLOBAL PROPERTY BIGHT_REQUIRES_${part} ${ARG_REQUIRES})
    set_property(GLOBAL PROPERTY BIGHT_HEADERS_${part} ${ARG_HEADERS})
  endif()
endfunction()

# A package of which pkg-config may not know: `found` for the caller, and `plain`, empty where it does know, or
# else what has to be found again by whoever uses the part.
function(bight_plain prefix spec library header)
  set(plain "")
  pkg_check_modules(BIGHT_${prefix} QUIET IMPORTED_TARGET GLOBAL "${spec}")
  set(found ${BIGHT_${prefix}_FOUND})
  if(NOT found)
    include("${PROJECT_SOURCE_DIR}/cmake/bight-plain.cmake")
    bight_find_plain(${prefix} ${library} ${header})
    set(plain ${prefix} ${library} ${header})
  endif()
  set(found ${found} PARENT_SCOPE)
  set(plain ${plain} PARENT_SCOPE)
endfunction()

# One package that a part can do without: `used` for the caller, and a line that says so.
function(bight_optional part prefix spec)
  set(BIGHT_${prefix} auto CACHE STRING "Use ${spec} in libbight-${part}: auto (if it is there), ON or OFF")
  set_property(CACHE BIGHT_${prefix} PROPERTY STRINGS auto ON OFF)
  set(found FALSE)
  if(BIGHT_${prefix} STREQUAL "auto")
    pkg_check_modules(BIGHT_${prefix} QUIET IMPORTED_TARGET GLOBAL "${spec}")
    set(found ${BIGHT_${prefix}_FOUND})
  elseif(BIGHT_${prefix})
    pkg_check_modules(BIGHT_${prefix} REQUIRED QUIET IMPORTED_TARGET GLOBAL "${spec}")
    set(found TRUE)
  endif()
  if(found)
    message(STATUS "libbight-${part}: with ${spec}")
  else()
    message(STATUS "libbight-${part}: without ${spec}")
  endif()
  set(used ${found} PARENT_SCOPE)
endfunction()

# bight_layer(NAME [PART part] [CONVERSION] [LIBS ...] SOURCES ...): the OBJECT library bight_NAME, of libbight
# or of the part. CONVERSION adds -Wconversion; LIBS are imported targets whose headers the layer uses.
function(bight_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "CONVERSION" "PART" "SOURCES;LIBS")
  if(NOT ARG_SOURCES)
    return()
  endif()
  add_library(bight_${name} OBJECT ${ARG_SOURCES})
  target_include_directories(bight_${name} PRIVATE "${PROJECT_SOURCE_DIR}"
                                                   "${PROJECT_SOURCE_DIR}/include")
  target_link_libraries(bight_${name} PRIVATE ${CMAKE_THREAD_LIBS_INIT} ${ARG_LIBS})
  target_compile_options(bight_${name} PRIVATE ${bight_frame_warning})
  if(ARG_CONVERSION)
    target_compile_options(bight_${name} PRIVATE $<$<COMPILE_LANGUAGE:C>:-Wconversion>)
  endif()
  set_property(GLOBAL APPEND PROPERTY BIGHT_LAYERS_${ARG_PART} bight_${name})
endfunction()

# The shared library TARGET and the static one TARGET_static, both called lib`file` and made of the same
# objects; for users bight::`export` and bight::`export`_static. LIBS are for both.
function(bight_library target file export layers)
  cmake_parse_arguments(PARSE_ARGV 4 ARG "" "" "LIBS")
  list(TRANSFORM layers REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE objects)
  add_library(${target} SHARED ${objects})
  add_library(${target}_static STATIC ${objects})
  foreach(kind "" _static)
    add_library(bight::${export}${kind} ALIAS ${target}${kind})
    set_target_properties(${target}${kind} PROPERTIES OUTPUT_NAME ${file} EXPORT_NAME ${export}${kind}
                          LINKER_LANGUAGE C)
    target_include_directories(${target}${kind} INTERFACE
      "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>")
    target_link_libraries(${target}${kind} PRIVATE ${CMAKE_THREAD_LIBS_INIT} ${ARG_LIBS})
  endforeach()
  # While the version is 0.x, each minor version is a library of its own to the loader.
  set(soversion "${PROJECT_VERSION_MAJOR}")
  if(soversion EQUAL 0)
    set(soversion "0.${PROJECT_VERSION_MINOR}")
  endif()
  set_target_properties(${target} PROPERTIES VERSION "${PROJECT_VERSION}" SOVERSION "${soversion}")
  if(BIGHT_SANITIZE STREQUAL "none")
    # A sanitizer's runtime comes with the program, so only plain builds can insist on this.
    target_link_options(${target} PRIVATE -Wl,-z,defs)
  endif()
endfunction()

# libbight, and a library for each part that is built.
function(bight_libraries)
  get_property(layers GLOBAL PROPERTY BIGHT_LAYERS_)
  # m: the ucontext switch saves floating-point modes by <fenv.h>.
  bight_library(bight bight bight "${layers}" LIBS PkgConfig::BIGHT_LIBUV m)
  # The names that parts take of libbight beyond the public ones (BIGHT_INTERNAL_API in the sources) carry
  # the version in full: the loader refuses a part that was built with another libbight than it meets.
  configure_file("${PROJECT_SOURCE_DIR}/cmake/private.map.in" "${PROJECT_BINARY_DIR}/private.map" @ONLY)
  target_link_options(bight PRIVATE "LINKER:--version-script=${PROJECT_BINARY_DIR}/private.map")
  set_property(TARGET bight APPEND PROPERTY LINK_DEPENDS "${PROJECT_BINARY_DIR}/private.map")

  get_property(parts GLOBAL PROPERTY BIGHT_PARTS)
  foreach(part IN LISTS parts)
    get_property(layers GLOBAL PROPERTY BIGHT_LAYERS_${part})
    get_property(packages GLOBAL PROPERTY BIGHT_PACKAGES_${part})
    set(libs "")
    while(packages)
      list(POP_FRONT packages prefix spec)
      list(APPEND libs PkgConfig::BIGHT_${prefix})
    endwhile()
    bight_library(bight_${part} bight-${part} ${part} "${layers}" LIBS PkgConfig::BIGHT_LIBUV ${libs})
    get_property(required GLOBAL PROPERTY BIGHT_REQUIRES_${part})
    list(TRANSFORM required PREPEND bight_)
    target_link_libraries(bight_${part} PUBLIC ${required} bight)
    list(TRANSFORM required APPEND _static)
    target_link_libraries(bight_${part}_static PUBLIC ${required} bight_static)
    # Installed side by side, wherever that is.
    set_target_properties(bight_${part} PROPERTIES INSTALL_RPATH "$ORIGIN")
  endforeach()
endfunction()
