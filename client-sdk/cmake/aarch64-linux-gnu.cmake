# libdeskbell for 64-bit ARM Linux, built on another machine: Debian's cross compiler and a folder with the ARM libraries
# (scripts/test-aarch64 makes one). Programs of the build run under qemu-user.
#
#   cmake -S client-sdk -B build-arm -DCMAKE_TOOLCHAIN_FILE=cmake/aarch64-linux-gnu.cmake -DDESKBELL_SYSROOT=/path
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(DESKBELL_SYSROOT "$ENV{DESKBELL_SYSROOT}" CACHE PATH "folder with lib/ and usr/ of the ARM system")
if(NOT IS_DIRECTORY "${DESKBELL_SYSROOT}/usr/include")
        message(FATAL_ERROR "DESKBELL_SYSROOT names no folder with usr/include of the ARM system")
endif()
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES DESKBELL_SYSROOT)

set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
find_program(DESKBELL_ARM_CXX aarch64-linux-gnu-g++)
set(CMAKE_CXX_COMPILER ${DESKBELL_ARM_CXX}) # NOTFOUND = the C++ binding is left out
set(CMAKE_SYSROOT "${DESKBELL_SYSROOT}")
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L "${DESKBELL_SYSROOT}")

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(ENV{PKG_CONFIG_SYSROOT_DIR} "${DESKBELL_SYSROOT}")
set(ENV{PKG_CONFIG_LIBDIR} "${DESKBELL_SYSROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${DESKBELL_SYSROOT}/usr/share/pkgconfig")
