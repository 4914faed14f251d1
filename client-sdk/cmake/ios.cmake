# libdeskbell for iOS 13 or later, built on a Mac with Xcode. Was not run: nothing is promised.
#
#   cmake -S client-sdk -B build/ios -G Ninja -DCMAKE_TOOLCHAIN_FILE=cmake/ios.cmake -DDESKBELL_PREFIX=/path/with/the/libraries
#         [-DDESKBELL_IOS=simulator]
#
# DESKBELL_PREFIX   where libwebsockets, SQLite, OpenSSL, jansson and libcurl were installed for the same SDK and processor,
#                   with their pkg-config files in lib/pkgconfig; pkg-config itself is needed on the Mac
# DESKBELL_IOS      "device" (64-bit ARM; default) or "simulator" (64-bit ARM and x86-64, unless CMAKE_OSX_ARCHITECTURES says
#                   otherwise)
# CMAKE_OSX_SYSROOT a folder, when it is not to be the SDK that Xcode names
#
# It takes the portable form of the library (DESKBELL_PORTABLE), which the tests of Linux run. An application links
# libdeskbell.a and those libraries, and hands in ca_file: OpenSSL finds no certificates on that system.
set(DESKBELL_PREFIX "$ENV{DESKBELL_PREFIX}" CACHE PATH "prefix of the libraries, made for the same SDK and processor")
set(DESKBELL_IOS device CACHE STRING "device or simulator")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES DESKBELL_PREFIX DESKBELL_IOS)
if(NOT DESKBELL_PREFIX OR NOT IS_DIRECTORY "${DESKBELL_PREFIX}/lib/pkgconfig")
        message(FATAL_ERROR "DESKBELL_PREFIX has to name a folder with lib/pkgconfig")
endif()

set(CMAKE_SYSTEM_NAME iOS)
if(DESKBELL_IOS STREQUAL "device")
        set(ios_sdk iphoneos)
        set(ios_processors arm64)
elseif(DESKBELL_IOS STREQUAL "simulator")
        set(ios_sdk iphonesimulator)
        set(ios_processors arm64 x86_64)
else()
        message(FATAL_ERROR "DESKBELL_IOS is device or simulator, not ${DESKBELL_IOS}")
endif()
set(CMAKE_OSX_SYSROOT ${ios_sdk} CACHE STRING "SDK: its name, or its folder")
set(CMAKE_OSX_ARCHITECTURES "${ios_processors}" CACHE STRING "processors")
set(CMAKE_OSX_DEPLOYMENT_TARGET 13.0 CACHE STRING "oldest iOS")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY) # a program would have to be signed

list(APPEND CMAKE_FIND_ROOT_PATH "${DESKBELL_PREFIX}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_LIBDIR} "${DESKBELL_PREFIX}/lib/pkgconfig")
unset(ENV{PKG_CONFIG_SYSROOT_DIR})
