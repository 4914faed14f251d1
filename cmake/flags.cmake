# How everything of ours is compiled, for the whole project and for the SDK alone (client-sdk/CMakeLists.txt).
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

set(DESKBELL_SANITIZE "" CACHE STRING "address, thread or empty")
option(DESKBELL_HARDEN "hardening flags for a program that faces the internet" OFF)
# Apple's systems have no other; Linux has both, and builds this one for the tests (client-sdk/src/platform.h).
set(portable_default ON)
if(CMAKE_SYSTEM_NAME MATCHES "^(Linux|Android)$")
        set(portable_default OFF)
endif()
option(DESKBELL_PORTABLE "libdeskbell by POSIX calls alone" ${portable_default})
option(DESKBELL_PLANTED "build with planted bugs, chosen at run time by DESKBELL_PLANTED=name; for the rigs only" OFF)

# For libdeskbell and the protocol in it: nothing is declared to them that the portable form must not use.
set(DESKBELL_FORM_OPTIONS)
if(APPLE)
        set(DESKBELL_FORM_OPTIONS -D_DARWIN_C_SOURCE)
elseif(DESKBELL_PORTABLE)
        set(DESKBELL_FORM_OPTIONS -U_GNU_SOURCE -D_XOPEN_SOURCE=700)
endif()

add_library(deskbell_flags INTERFACE)
target_compile_definitions(deskbell_flags INTERFACE _GNU_SOURCE DESKBELL_VERSION="${PROJECT_VERSION}")
target_compile_options(deskbell_flags INTERFACE -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes
        -Wmissing-prototypes -Wvla -Wpointer-arith -Wwrite-strings -Wformat=2 -fno-strict-aliasing -ffunction-sections
        -fdata-sections)
target_include_directories(deskbell_flags INTERFACE ${CMAKE_CURRENT_LIST_DIR}/../protocol/include
        ${CMAKE_BINARY_DIR}/generated)
if(DESKBELL_SANITIZE STREQUAL "address")
        target_compile_options(deskbell_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all
                -fno-omit-frame-pointer)
        target_link_options(deskbell_flags INTERFACE -fsanitize=address,undefined)
elseif(DESKBELL_SANITIZE STREQUAL "thread")
        target_compile_options(deskbell_flags INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
        target_link_options(deskbell_flags INTERFACE -fsanitize=thread)
endif()
if(DESKBELL_HARDEN)
        target_compile_options(deskbell_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong
                -fstack-clash-protection -fcf-protection -ftrivial-auto-var-init=zero)
        target_link_options(deskbell_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
endif()
if(DESKBELL_PLANTED)
        target_compile_definitions(deskbell_flags INTERFACE DESKBELL_PLANTED=1)
endif()
