# A library that pkg-config does not know, for the build and for those who use what was installed.

# bight_find_plain(PREFIX LIBRARY HEADER): `found` for the caller, and then the target PkgConfig::BIGHT_PREFIX, as if
# pkg-config had known it.
function(bight_find_plain prefix library header)
  find_library(BIGHT_${prefix}_LIBRARY ${library})
  find_path(BIGHT_${prefix}_INCLUDE ${header})
  mark_as_advanced(BIGHT_${prefix}_LIBRARY BIGHT_${prefix}_INCLUDE)
  set(found FALSE)
  if(BIGHT_${prefix}_LIBRARY AND BIGHT_${prefix}_INCLUDE)
    set(found TRUE)
    if(NOT TARGET PkgConfig::BIGHT_${prefix})
      add_library(PkgConfig::BIGHT_${prefix} UNKNOWN IMPORTED GLOBAL)
      set_target_properties(PkgConfig::BIGHT_${prefix} PROPERTIES
        IMPORTED_LOCATION "${BIGHT_${prefix}_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${BIGHT_${prefix}_INCLUDE}")
    endif()
  endif()
  set(found ${found} PARENT_SCOPE)
endfunction()
