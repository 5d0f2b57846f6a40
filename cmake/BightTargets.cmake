# How a layer becomes part of the library. A layer's folder calls bight_layer(); the top calls
# bight_libraries() once, after all layers.

# bight_layer(NAME [CONVERSION] [LIBS ...] SOURCES ...): the OBJECT library bight_NAME.
# CONVERSION adds -Wconversion; LIBS are imported targets whose headers the layer uses.
function(bight_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "CONVERSION" "" "SOURCES;LIBS")
  if(NOT ARG_SOURCES)
    return()
  endif()
  add_library(bight_${name} OBJECT ${ARG_SOURCES})
  target_include_directories(bight_${name} PRIVATE "${PROJECT_SOURCE_DIR}"
                                                   "${PROJECT_SOURCE_DIR}/include")
  target_link_libraries(bight_${name} PRIVATE Threads::Threads ${ARG_LIBS})
  target_compile_options(bight_${name} PRIVATE ${bight_frame_warning})
  if(ARG_CONVERSION)
    target_compile_options(bight_${name} PRIVATE $<$<COMPILE_LANGUAGE:C>:-Wconversion>)
  endif()
  set_property(GLOBAL APPEND PROPERTY BIGHT_LAYERS bight_${name})
endfunction()

# The shared and the static library, both named libbight and made of the same objects.
function(bight_libraries)
  get_property(layers GLOBAL PROPERTY BIGHT_LAYERS)
  list(TRANSFORM layers REPLACE "(.+)" "$<TARGET_OBJECTS:\\1>" OUTPUT_VARIABLE objects)
  add_library(bight SHARED ${objects})
  add_library(bight_static STATIC ${objects})
  foreach(lib bight bight_static)
    add_library(bight::${lib} ALIAS ${lib})
    set_target_properties(${lib} PROPERTIES OUTPUT_NAME bight LINKER_LANGUAGE C)
    target_include_directories(${lib} INTERFACE
      "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
      "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
    # m: the ucontext switch saves floating-point modes by <fenv.h>.
    target_link_libraries(${lib} PRIVATE Threads::Threads PkgConfig::LIBUV PkgConfig::LIBCURL m)
  endforeach()
  set_target_properties(bight PROPERTIES VERSION "${PROJECT_VERSION}"
                        SOVERSION "${PROJECT_VERSION_MAJOR}")
  if(BIGHT_SANITIZE STREQUAL "none")
    # A sanitizer's runtime comes with the program, so only plain builds can insist on this.
    target_link_options(bight PRIVATE -Wl,-z,defs)
  endif()
endfunction()
