# `cpack --config build/release/CPackConfig.cmake` makes two Debian packages:
# relud (both programs and the service) and librelu-client-dev.

install(FILES deploy/systemd/relud.service
  DESTINATION /usr/lib/systemd/system COMPONENT programs)
install(FILES docs/capacity.md docs/configuration.md docs/deployment.md
    docs/migration.md docs/operations.md
  DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/relud COMPONENT programs)
install(FILES deploy/systemd/relud.default
  DESTINATION /etc/default RENAME relud COMPONENT programs)
install(DIRECTORY DESTINATION /var/lib/relud/models COMPONENT programs)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/relud
  RENAME copyright COMPONENT programs)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/librelu-client-dev
  RENAME copyright COMPONENT client)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME relud)
set(CPACK_PACKAGE_CONTACT "The relud authors <relud@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL programs client)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)

set(CPACK_DEBIAN_PROGRAMS_PACKAGE_NAME relud)
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PROGRAMS_DESCRIPTION
  "Serves ONNX models over the KServe V2 / Open Inference Protocol: the server
relud, the client reluctl and a systemd service.")
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_CONTROL_EXTRA
  ${PROJECT_SOURCE_DIR}/deploy/debian/conffiles
  ${PROJECT_SOURCE_DIR}/deploy/debian/postinst
  ${PROJECT_SOURCE_DIR}/deploy/debian/prerm
  ${PROJECT_SOURCE_DIR}/deploy/debian/postrm)

set(CPACK_DEBIAN_CLIENT_PACKAGE_NAME librelu-client-dev)
set(CPACK_DEBIAN_CLIENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_CLIENT_PACKAGE_DEPENDS
  "libabsl-dev, libfmt-dev, libgrpc++-dev, libprotobuf-dev")
set(CPACK_DEBIAN_CLIENT_DESCRIPTION
  "The C++ client library: calls any server of the KServe V2 protocol.")
include(CPack)
