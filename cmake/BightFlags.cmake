# Compiler and linker flags of everything in this tree. Included once, from the top, before any target.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_compile_definitions(_GNU_SOURCE)
add_compile_options(
  $<$<COMPILE_LANGUAGE:C>:-Wall> $<$<COMPILE_LANGUAGE:C>:-Wextra> $<$<COMPILE_LANGUAGE:C>:-Wshadow>
  $<$<COMPILE_LANGUAGE:C>:-Wvla> $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes>
  $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes>)

# Records in frames are linked into lists and cut out before their frame ends; newer gccs do not see the cut.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_C_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
  add_compile_options($<$<COMPILE_LANGUAGE:C>:-Wno-dangling-pointer>)
endif()

include(CheckCCompilerFlag)
foreach(flag -fstack-clash-protection -fno-semantic-interposition)
  string(MAKE_C_IDENTIFIER "BIGHT_HAVE${flag}" have)
  check_c_compiler_flag(${flag} ${have})
  if(${have})
    add_compile_options($<$<COMPILE_LANGUAGE:C>:${flag}>)
  endif()
endforeach()

set(bight_frame_warning "")
if(BIGHT_SANITIZE MATCHES "^(none|valgrind)$")
  # For code that runs on coroutine stacks: the layers and the samples. Instrumented frames are
  # larger than written, so only plain builds say so.
  set(bight_frame_warning $<$<COMPILE_LANGUAGE:C>:-Wframe-larger-than=2048>)
endif()

if(BIGHT_SANITIZE STREQUAL "address")
  add_compile_definitions(BIGHT_ASAN=1)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(BIGHT_SANITIZE STREQUAL "thread")
  add_compile_definitions(BIGHT_TSAN=1)
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
elseif(NOT BIGHT_SANITIZE MATCHES "^(none|valgrind)$")
  message(FATAL_ERROR "BIGHT_SANITIZE is none, address, thread or valgrind, not ${BIGHT_SANITIZE}")
endif()

if(BIGHT_FUZZ)
  # The library itself has to say which way it went; only fuzz targets get libFuzzer's main.
  if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "BIGHT_FUZZ needs clang, not ${CMAKE_C_COMPILER_ID}")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# Programs run under valgrind with whatever library they have, so every kind of build tells it of stacks.
include(CheckIncludeFile)
check_include_file(valgrind/valgrind.h BIGHT_HAVE_VALGRIND_H)
if(BIGHT_HAVE_VALGRIND_H)
  message(STATUS "valgrind: header found, it is told of stacks")
  add_compile_definitions(BIGHT_HAVE_VALGRIND_H=1)
else()
  message(STATUS "valgrind: header not found, it takes each switch of stacks for a mistake")
endif()
