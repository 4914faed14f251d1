# What `cmake --install BUILD --component sdk` puts in place: header, both libraries, the pkg-config file and the CMake
# package. Nothing of it names the build tree or the prefix: the tree can be moved as a whole.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/deskbell)
file(RELATIVE_PATH DESKBELL_PC_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" DESKBELL_PC_PREFIX "${DESKBELL_PC_PREFIX}")
list(JOIN DESKBELL_SDK_PACKAGES ", " DESKBELL_PC_REQUIRES)
list(JOIN DESKBELL_SDK_PACKAGES " " DESKBELL_CONFIG_NEEDS)
configure_file(${CMAKE_CURRENT_LIST_DIR}/deskbell.pc.in ${CMAKE_CURRENT_BINARY_DIR}/deskbell.pc @ONLY)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/deskbell-config.cmake.in
        ${CMAKE_CURRENT_BINARY_DIR}/deskbell-config.cmake INSTALL_DESTINATION ${package_dir}
        PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
# Before 1.0 a minor version may break what was; the ABI check says when one does.
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/deskbell-config-version.cmake
        VERSION ${DESKBELL_SDK_VERSION} COMPATIBILITY SameMinorVersion)

install(FILES ${CMAKE_CURRENT_SOURCE_DIR}/include/deskbell/deskbell.h ${CMAKE_CURRENT_SOURCE_DIR}/include/deskbell/bot.h
        ${CMAKE_CURRENT_SOURCE_DIR}/include/deskbell/desk.h
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/deskbell
        COMPONENT sdk)
install(TARGETS deskbell_shared EXPORT deskbell_targets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT sdk NAMELINK_COMPONENT sdk)
install(TARGETS deskbell_static ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT sdk)
install(EXPORT deskbell_targets NAMESPACE deskbell:: FILE deskbell-targets.cmake DESTINATION ${package_dir} COMPONENT sdk)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/deskbell-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/deskbell-config-version.cmake
        DESTINATION ${package_dir} COMPONENT sdk)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/deskbell.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT sdk)
