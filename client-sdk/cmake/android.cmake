# libdeskbell for Android, by the NDK's own tool chain file. Was not run: nothing is promised.
#
#   cmake -S client-sdk -B build/android -G Ninja -DCMAKE_TOOLCHAIN_FILE=cmake/android.cmake -DANDROID_NDK=/path/to/ndk
#         -DANDROID_ABI=arm64-v8a -DDESKBELL_PREFIX=/path/with/the/libraries
set(ANDROID_NDK "$ENV{ANDROID_NDK}" CACHE PATH "folder of the NDK")
set(DESKBELL_PREFIX "$ENV{DESKBELL_PREFIX}" CACHE PATH "prefix of the libraries, made for the same ABI")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ANDROID_NDK DESKBELL_PREFIX)
if(NOT DEFINED ANDROID_PLATFORM)
        set(ANDROID_PLATFORM android-28) # the first that has getrandom
endif()
if(NOT EXISTS "${ANDROID_NDK}/build/cmake/android.toolchain.cmake" OR NOT DESKBELL_PREFIX
   OR NOT IS_DIRECTORY "${DESKBELL_PREFIX}/lib/pkgconfig")
        message(FATAL_ERROR "ANDROID_NDK has to name an NDK, DESKBELL_PREFIX a folder with lib/pkgconfig")
endif()
include("${ANDROID_NDK}/build/cmake/android.toolchain.cmake")

list(APPEND CMAKE_FIND_ROOT_PATH "${DESKBELL_PREFIX}")
set(ENV{PKG_CONFIG_LIBDIR} "${DESKBELL_PREFIX}/lib/pkgconfig")
unset(ENV{PKG_CONFIG_SYSROOT_DIR})
