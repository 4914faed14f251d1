# How the two libraries are linked: of the names in the map (src/deskbell.map) and nothing else, on either kind of linker.
# Sets DESKBELL_LINK_OPTIONS for the shared one, and DESKBELL_JOIN and DESKBELL_LOCALIZE, the commands that make one object
# of many (OUT and the objects follow) and hide what is hidden in it.
#
# `cmake -DDESKBELL_MAP=file -DOUT=file -P linking.cmake` only writes the list of names for Apple's linker.

# The global names of a version script as that linker wants them: one a line, with the underscore that C names have there.
function(deskbell_write_exported map out)
        file(READ ${map} text)
        if(NOT text MATCHES "global:([^}]*)local:")
                message(FATAL_ERROR "${map} has no global names")
        endif()
        string(REGEX MATCHALL "[A-Za-z0-9_*?]+" names "${CMAKE_MATCH_1}")
        list(TRANSFORM names PREPEND "_")
        list(JOIN names "\n" names)
        file(CONFIGURE OUTPUT ${out} CONTENT "${names}\n" @ONLY)
endfunction()

if(CMAKE_SCRIPT_MODE_FILE)
        deskbell_write_exported(${DESKBELL_MAP} ${OUT})
        return()
endif()

if(APPLE)
        set(DESKBELL_EXPORTED ${CMAKE_CURRENT_BINARY_DIR}/deskbell.exported)
        deskbell_write_exported(${DESKBELL_MAP} ${DESKBELL_EXPORTED})
        set(DESKBELL_LINK_OPTIONS -Wl,-exported_symbols_list,${DESKBELL_EXPORTED} -Wl,-dead_strip -Wl,-dead_strip_dylibs)
        # That linker makes hidden names local by itself when it joins objects.
        set(DESKBELL_JOIN ${CMAKE_C_COMPILER})
        if(CMAKE_C_COMPILER_TARGET)
                list(APPEND DESKBELL_JOIN --target=${CMAKE_C_COMPILER_TARGET})
        endif()
        foreach(arch ${CMAKE_OSX_ARCHITECTURES})
                list(APPEND DESKBELL_JOIN -arch ${arch})
        endforeach()
        if(_CMAKE_OSX_SYSROOT_PATH)
                list(APPEND DESKBELL_JOIN -isysroot ${_CMAKE_OSX_SYSROOT_PATH})
        endif()
        if(CMAKE_OSX_DEPLOYMENT_TARGET)
                list(APPEND DESKBELL_JOIN ${CMAKE_C_OSX_DEPLOYMENT_TARGET_FLAG}${CMAKE_OSX_DEPLOYMENT_TARGET})
        endif()
        list(APPEND DESKBELL_JOIN -nostdlib -Wl,-r -o)
        set(DESKBELL_LOCALIZE ${CMAKE_COMMAND} -E true)
        return()
endif()

set(DESKBELL_LINK_OPTIONS -Wl,--version-script=${DESKBELL_MAP} -Wl,--gc-sections -Wl,--as-needed)
include(CheckLinkerFlag)
check_linker_flag(C -Wl,-z,pack-relative-relocs DESKBELL_HAS_RELR) # the tables of the protocol are full of addresses
if(DESKBELL_HAS_RELR)
        list(APPEND DESKBELL_LINK_OPTIONS -Wl,-z,pack-relative-relocs)
endif()
# Code and constants in one segment: two pages less in the file, and in the memory of each phone.
check_linker_flag(C -Wl,-z,noseparate-code DESKBELL_HAS_NOSEPARATE)
if(DESKBELL_HAS_NOSEPARATE)
        list(APPEND DESKBELL_LINK_OPTIONS -Wl,-z,noseparate-code)
endif()
set(DESKBELL_JOIN ${CMAKE_LINKER} -r -o)
set(DESKBELL_LOCALIZE ${CMAKE_OBJCOPY} --localize-hidden ${CMAKE_CURRENT_BINARY_DIR}/deskbell.o)
